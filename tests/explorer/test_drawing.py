"""What is drawn: one dimension, many classes, data far from 0, holes to their ends, colours that tell apart, and every size of window."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from explorer.local_server import Serving
from explorer.test_browser import VIEW, Page, same
from vaelab.building import build_model
from vaelab.config import load_recipe
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.explored import Explored, explored_model
from vaelab.generating import decode

NAMES = tuple(f"a class with a long name, the {number}th of forty" for number in range(40))


@pytest.fixture(scope="module")
def many_classes(bundle: Bundle) -> Explored:
    explored = bundle.explored[0]
    return replace(explored, labels=(np.arange(600) % 40).astype(np.int64), label_names=NAMES)


@pytest.fixture
def opened(chromium):
    """Opens a page of some models at a size of the window."""
    kept = []

    def open_page(*explored: Explored, size: tuple[int, int] = (1360, 900), where: str = "") -> Page:
        server = Serving(Bundle(explored))
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
        kept.append((server, context))
        return Page(context.new_page()).open(f"{server.__enter__()}#lang=en&theme=light{where}")

    yield open_page
    for server, context in kept:
        context.close()
        server.__exit__()


def test_forty_classes_with_long_names_leave_the_map_to_be_seen(opened, many_classes: Explored):
    page = opened(many_classes)
    assert page.page.locator(".vx-legend-item").count() == 40
    heights = page.page.evaluate("[...document.querySelectorAll('.vx-legend-item')].map((one) => one.clientHeight)")
    assert max(heights) < 30  # one line
    assert page.page.locator(".vx-legend").bounding_box()["height"] < 60
    badges = page.page.evaluate(f"{VIEW}.badges")
    assert 1 <= len(badges) <= 16
    assert max(badge["half"] for badge in badges) <= 48
    for number, one in enumerate(badges):
        for other in badges[:number]:
            apart = abs(one["x"] - other["x"]) > one["half"] + other["half"] or abs(one["y"] - other["y"]) > 18
            assert apart


def test_one_dimension_has_one_row_of_pictures(opened):
    changes = {"latent_dim": 1, "image_shape": [28, 28], "encoder.hidden": [16], "decoder.hidden": [16]}
    config = load_recipe("tutorial").with_values({f"model.{name}": value for name, value in changes.items()})
    model = build_model(config.model, jax.random.key(0))
    page = opened(explored_model(model))
    page.layer("Decoded grid")
    page.until(f"{VIEW}.mosaic?.tiles.length > 5")
    assert set(page.page.evaluate(f"{VIEW}.mosaic.tiles.map((tile) => tile.y)")) == {0}
    page.page.evaluate("vaelabExplorer.update({ spacing: 'quantile' })")
    page.until(f"{VIEW}.mosaic?.tiles.length === 15")
    assert set(page.page.evaluate(f"{VIEW}.mosaic.tiles.map((tile) => tile.y)")) == {0}
    assert page.faults == []


FULL = """
(view) => {
  const step = Math.min(...view.mosaic.tiles.map((tile) => tile.width));
  const name = (x, y) => `${Math.round(x / step)}/${Math.round(y / step)}`;
  const cells = new Set(view.mosaic.tiles.filter((tile) => tile.width === step).map(({ x, y }) => name(x, y)));
  const [left, bottom] = view.toPlane(0, view.height);
  const [right, top] = view.toPlane(view.width, 0);
  for (let x = left; x < right; x += step) for (let y = bottom; y < top; y += step) if (!cells.has(name(x, y))) return 0;
  return step * view.scale;
}
"""
"""The pixels of a tile's side where tiles of one size cover the whole view, else 0."""


def test_the_grid_fills_the_view_and_is_decoded_anew_on_zoom(opened, bundle: Bundle):
    explored = bundle.explored[0]
    page = opened(explored)
    page.layer("Decoded grid")
    full = f"({FULL})({VIEW})"
    page.until(f"{VIEW}.mosaic && {full} > 30 && {full} < 52")
    page.page.evaluate(f"{VIEW}.zoom(3, 300, 300)")
    page.until(f"{full} > 30 && {full} < 52")
    pixels = "image.getContext('2d').getImageData(0, 0, 28, 28).data"
    tile = page.page.evaluate(
        f"(() => {{ const {{ x, y, image }} = {VIEW}.mosaic.tiles.at(-1); return [x, y, ...{pixels}]; }})()"
    )
    expected = np.rint(255 * decode(explored.model, np.array([tile[:2]], np.float32))[0]).ravel()
    assert same(np.array(tile[2::4]), expected)
    assert float(page.page.evaluate(f"{VIEW}.dots.style.opacity")) < 1


def test_data_far_from_zero_fill_the_map(opened, bundle: Bundle):
    """A plain autoencoder's codes lie where they like: nothing is to be shown round 0."""
    explored = bundle.explored[0]
    moved = replace(explored, priors={}, snapshots=[])
    own = explored.encoded
    vars(moved)["encoded"] = own._replace(
        mean=np.asarray(30 + 0.3 * own.mean, np.float32), draw=np.asarray(30 + 0.3 * own.draw, np.float32)
    )
    page = opened(moved)
    box = page.page.evaluate("vaelabExplorer.pane.box")
    assert 27 < box["left"] < box["right"] < 33
    places = np.array(page.page.evaluate("[...vaelabExplorer.pane.places]")).reshape(-1, 2)
    scale = page.page.evaluate(f"{VIEW}.scale")
    area = np.prod(np.ptp(places, axis=0) * scale)
    shown = page.page.locator(".vx-overlay").first.bounding_box()
    assert area > 0.3 * shown["width"] * shown["height"]


def test_holes_fade_before_their_field_ends(opened, bundle: Bundle):
    page = opened(bundle.explored[0])
    edge = page.page.evaluate(
        """(() => { const { values, columns, rows } = vaelabExplorer.pane.holeField(); let most = 0;
        for (let k = 0; k < columns; k++) for (const cell of [k, (rows - 1) * columns + k, k * columns, k * columns + columns - 1])
          most = Math.max(most, Math.abs(values[cell])); return most; })()"""
    )
    assert edge < 0.02


@pytest.mark.parametrize("size", [(1440, 900), (1366, 650), (1440, 500), (1024, 768), (390, 844)], ids=str)
def test_nothing_overlaps_at_any_size(opened, bundle: Bundle, size: tuple[int, int]):
    page = opened(bundle.explored[0], size=size)
    parts = [
        (name, box["x"], box["x"] + box["width"], box["y"], box["y"] + box["height"])
        for name in (".vx-header", ".vx-maps", ".vx-readout", ".vx-bars", ".vx-tabs", ".vx-replay")
        if (box := page.page.locator(name).bounding_box())
    ]
    assert len(parts) == 6
    for number, (name, left, right, top, bottom) in enumerate(parts):
        assert right - left > 100, name
        assert right <= size[0] + 1, name
        for other, *box in parts[:number]:
            apart = right <= box[0] + 1 or left >= box[1] - 1 or bottom <= box[2] + 1 or top >= box[3] - 1
            assert apart, (name, other)
    maps = page.page.locator(".vx-map").first.bounding_box()
    assert maps["height"] > 180
    assert page.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_one_can_draw_without_scrolling_at_1366_by_650(opened, bundle: Bundle):
    page = opened(bundle.explored[0], size=(1366, 650))
    assert page.page.evaluate(
        "document.querySelector('.vx').scrollHeight <= document.querySelector('.vx').clientHeight"
    )
    tab = page.page.locator(".vx-panel:not([hidden])").bounding_box()
    for name in (".vx-pad", ".vx-seen", ".vx-draw .vx-button"):
        box = page.page.locator(name).last.bounding_box()
        assert box["y"] + box["height"] <= tab["y"] + tab["height"] + 1, name


def test_on_a_telephone_the_picture_lies_on_the_map_away_from_the_finger(chromium, address: str):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{address}#lang=en")
    map_box, inset = page.page.locator(".vx-map").first.bounding_box(), page.page.locator(".vx-inset").bounding_box()
    assert map_box["x"] <= inset["x"]
    assert inset["y"] + inset["height"] <= map_box["y"] + map_box["height"]
    assert same(page.pixels(".vx-inset"), page.pixels(".vx-decoded"))
    for x, side in ((0.8, "left"), (0.2, "right")):
        z = page.page.evaluate(f"[...{VIEW}.latentAt({x * map_box['width']}, 60)]")
        page.page.evaluate(f"vaelabExplorer.hover(Float32Array.from({z}))")
        page.until(f"document.querySelector('.vx-inset').dataset.side === '{side}'")
        inset = page.page.locator(".vx-inset").bounding_box()
        assert not inset["x"] <= map_box["x"] + x * map_box["width"] <= inset["x"] + inset["width"]
    context.close()


def luminance(colour: str) -> float:
    share = linear(colour)
    return float(share @ [0.2126, 0.7152, 0.0722])


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x = np.clip(light @ to_xyz.T / [0.9505, 1.0, 1.089], 0, None)
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
"""Machado, Oliveira and Fernandes 2009, severity 1."""


def test_colours_of_classes_are_no_greys_apart_for_deutans_and_carry_ink_that_is_read(run_module):
    facts = json.loads(run_module("colour_facts.mjs"))
    for theme in ("light", "dark"):
        colours, inks = facts[theme], facts["inks"][theme]
        spaces = np.array([lab(linear(colour)) for colour in colours])
        assert np.hypot(spaces[:, 1], spaces[:, 2]).min() > 15  # no grey: the two that were had 3 and 7
        seen = np.array([lab(np.clip(DEUTAN @ linear(colour), 0, 1)) for colour in colours])
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        assert apart[~np.eye(10, dtype=bool)].min() > 9
        for colour, ink in zip(colours, inks, strict=True):
            light, dark = sorted((luminance(colour), luminance(ink)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 4, (colour, ink)
