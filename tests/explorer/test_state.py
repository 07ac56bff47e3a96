"""One state: what the page says in one place is what it says in every other, whatever was pressed before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from explorer.local_server import TOKEN, Serving
from explorer.test_browser import VIEW, Page, draw_seven, lasso, same
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.economy import Economy
from vaelab.explorer.explored import Explored, explored_model
from vaelab.explorer.export import write_export
from vaelab.explorer.source import Source
from vaelab.generating import decode
from vaelab.training.snapshots import snapshot_of

FOLLOWED = 400


@pytest.fixture(scope="module")
def two_priors(bundle: Bundle) -> Explored:
    """The digits with a second prior, and a replay that follows 400 of the 600 images."""
    explored = bundle.explored[0]
    snapshots = [
        replace(one, means=one.means[:FOLLOWED], log_variances=np.asarray(one.log_variances)[:FOLLOWED])
        for one in explored.snapshots
    ]
    return replace(explored, priors={**explored.priors, "again": explored.model}, snapshots=snapshots)


@pytest.fixture(scope="module")
def state_address(two_priors: Explored, bundle: Bundle) -> Iterator[str]:
    with Serving(Bundle((two_priors, bundle.explored[1]))) as found:
        yield found


@pytest.fixture
def page(chromium, state_address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", color_scheme="light")
    opened = Page(context.new_page()).open(f"{state_address}#lang=en&theme=light")
    yield opened
    context.close()
    assert opened.faults == []


def test_header_sheet_and_address_have_one_prior(page: Page):
    header = page.page.locator(".vx-header select")
    page.tab("Sample")
    sheet = page.page.locator(".vx-panel:not([hidden]) select").first
    sheet.select_option("1")
    page.until("location.hash.includes('prior=again')")
    assert header.input_value() == "1"
    header.select_option("0")
    page.until("!location.hash.includes('prior=')")
    assert sheet.input_value() == "0"
    page.page.evaluate("location.hash = '#prior=again'")
    page.until("vaelabExplorer.state.prior === 1")
    assert (header.input_value(), sheet.input_value()) == ("1", "1")
    page.page.evaluate(
        "location.hash = '#tab=sample'"
    )  # an address without a prior means the one that the page begins with
    page.until("vaelabExplorer.state.prior === 0")
    assert (header.input_value(), sheet.input_value()) == ("0", "0")


def test_what_follows_from_others_cannot_be_set(page: Page):
    for name in ("pin", "plane", "samples", "nearest"):
        assert "follows from" in page.page.evaluate(
            f"(() => {{ try {{ vaelabExplorer.update({{ {name}: null }}); }} catch (error) {{ return error.message; }} }})()"
        )


def test_a_selection_at_an_earlier_epoch_is_of_the_images_that_are_followed(page: Page, two_priors: Explored):
    chosen = [5, 17, 399, 450, 599]
    page.page.evaluate(f"vaelabExplorer.update({{ tab: 'select', selectionA: Int32Array.from({chosen}) }})")
    page.until("document.querySelectorAll('.vx-catch .vx-sheet canvas').length === 5")
    page.page.evaluate("vaelabExplorer.update({ epoch: 1 })")
    page.until("document.querySelectorAll('.vx-catch .vx-sheet canvas').length === 3")
    assert "follows 3 of the 5 images selected" in page.page.locator(".vx-catch").inner_text()
    snapshot = two_priors.snapshots[1]
    expected = snapshot.means[chosen[:3]].astype(np.float32).mean(axis=0)
    page.page.locator(".vx-catch figure .vx-picture").hover()
    page.until("vaelabExplorer.state.hover !== null")
    np.testing.assert_allclose(page.state("hover"), expected, atol=1e-5)
    page.page.evaluate("vaelabExplorer.update({ epoch: null, hover: null })")
    page.until("document.querySelectorAll('.vx-catch .vx-sheet canvas').length === 5")


def test_a_pinned_image_is_followed_through_the_epochs(page: Page, two_priors: Explored):
    page.page.evaluate("vaelabExplorer.update({ pinned: { image: 7 } })")
    for epoch in (0, 1, 2):
        page.page.evaluate(f"vaelabExplorer.update({{ epoch: {epoch} }})")
        then = two_priors.snapshots[epoch].means[7].astype(np.float32)
        page.until(f"vaelabExplorer.state.epoch === {epoch}")
        np.testing.assert_allclose(page.state("pin"), then, atol=1e-6)
        page.decoded(then)  # the picture is that of the place of then, and so is the ring
        assert page.page.evaluate(f"{VIEW}.marks.pinImage") == 7
        np.testing.assert_allclose(page.page.evaluate(f"[...{VIEW}.pane.places.slice(14, 16)]"), then, atol=1e-6)
        assert "Pinned test image 7" in page.page.locator(".vx-nearest + figcaption").inner_text()
    page.page.evaluate("vaelabExplorer.update({ pinned: { image: 500 } })")
    page.until(f"{VIEW}.marks.pinImage === null")
    assert "not among those that the replay follows" in page.page.locator(".vx-nearest + figcaption").inner_text()
    assert "400 of the 600 images are followed" in page.page.locator(".vx-losses").inner_text()


def test_a_drawing_is_the_trained_models_and_no_earlier_ones(page: Page):
    draw_seven(page)
    page.page.mouse.move(3, 3)
    page.until(f"{VIEW}.marks.drawn !== null")
    page.page.evaluate("vaelabExplorer.update({ epoch: 1 })")
    page.until(f"{VIEW}.marks.drawn === null")
    page.until(
        "document.querySelector('.vx-draw .vx-words').textContent.includes('encoders of earlier epochs were not kept')"
    )
    page.page.evaluate("vaelabExplorer.update({ epoch: null })")
    page.until(f"{VIEW}.marks.drawn !== null")


def test_a_file_says_whose_pictures_an_epoch_has(chromium, bundle: Bundle, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("vaelab.explorer.export.economies", lambda shapes, **_: iter([Economy(0)]))
    write_export(bundle, tmp_path / "light.html")
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, offline=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{(tmp_path / 'light.html').as_uri()}#lang=en&theme=light")
    caption = page.page.locator(".vx-standing")
    assert "trained" not in caption.inner_text()
    page.page.evaluate("vaelabExplorer.update({ epoch: 1 })")
    page.until("document.querySelector('.vx-standing').textContent.includes('by the trained decoder')")
    assert "pictures by the trained decoder" in page.page.locator(".vx-losses").inner_text()
    context.close()


def test_images_of_more_than_12000_bytes_keep_their_snapshots(monkeypatch, bundle: Bundle):
    """24 MB of such pixels hold fewer images than the 2,000 that a training follows."""
    from vaelab.explorer import explored as module

    own = bundle.explored[0]
    images = own.images[:90]
    snapshots = [snapshot_of(epoch, own.model, jnp.asarray(images)) for epoch in range(3)]
    monkeypatch.setattr(module, "PIXELS_ON_THE_MAP", 70 * 784)
    found = explored_model(own.model, images, snapshots=snapshots)
    assert len(found.images) == 70
    view = Bundle((found,)).view
    assert view.count(b'\\"weights\\": true') == 3


def test_the_lasso_belongs_to_its_tab_and_a_click_with_it_takes_nothing_away(page: Page):
    page.press("Draw round points to select them")
    page.until("vaelabExplorer.state.tab === 'select' && vaelabExplorer.state.tool === 'lasso'")
    lasso(page, [0, 0], 0.6)
    page.until("vaelabExplorer.state.selectionA?.length > 0")
    caught = page.state("selectionA")
    page.click([0.2, 0.2])
    page.page.wait_for_timeout(100)
    assert page.state("selectionA") == caught
    lasso(page, [90, 90], 0.0)
    assert page.state("selectionA") == caught
    page.tab("Draw")
    page.until("vaelabExplorer.state.tool === 'explore'")
    page.click([0.4, -0.4])
    page.until("Math.hypot(...vaelabExplorer.state.pin) > 0.1")
    assert page.state("selectionA") == caught


def test_the_slider_between_two_points_keeps_its_picture(page: Page, bundle: Bundle):
    page.page.evaluate(
        "vaelabExplorer.update({ tab: 'interpolate', ends: { a: Float32Array.from([-1, 0]), b: Float32Array.from([1, 0.5]) } })"
    )
    slider = page.page.locator(".vx-panel:not([hidden]) .vx-epochs")
    page.until("document.querySelector('.vx-panel:not([hidden]) .vx-epochs')?.disabled === false")
    slider.focus()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("PageUp")
    page.page.mouse.move(3, 3)
    page.page.wait_for_timeout(200)
    along = page.state("along")
    assert 0 < along < 1
    z = (1 - along) * np.array([-1, 0]) + along * np.array([1, 0.5])
    expected = np.rint(255 * decode(bundle.explored[0].model, z[None].astype(np.float32))[0]).ravel()
    assert same(page.decoded(z), expected)
    box = slider.bounding_box()
    page.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2)
    page.page.mouse.down()
    page.page.mouse.up()
    page.page.mouse.move(3, 3)
    page.page.wait_for_timeout(200)
    assert page.state("along") == pytest.approx(0.7, abs=0.05)
    assert page.page.evaluate("vaelabExplorer.state.look.by") == "way"
    assert "on the way from A to B" in page.page.locator(".vx-standing").inner_text()
    page.page.evaluate("vaelabExplorer.update({ tab: 'draw' })")
    page.until("vaelabExplorer.state.look.by === 'pin'")


def test_planes_leave_the_pin_and_say_what_they_need(chromium, bundle: Bundle):
    other = bundle.explored[1]
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(Bundle((other,))) as address:
        page = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
        choice = page.page.locator(".vx-toolbar select")
        page.page.evaluate("vaelabExplorer.pin(Float32Array.from([0.5, -0.4, 0.7]))")
        choice.select_option("points")
        page.until("document.querySelector('.vx-plane').textContent.includes('Three points')")
        assert choice.input_value() == "pair"
        choice.select_option("pca")
        page.until("vaelabExplorer.state.plane.kind === 'pca'")
        np.testing.assert_allclose(page.state("pin"), [0.5, -0.4, 0.7], atol=1e-6)
        assert page.page.evaluate(f"{VIEW}.marks.off") is False
        for corner in ([1, 0, 0], [0, 1, 0], [0, 0, 1]):
            page.page.evaluate(f"vaelabExplorer.pin(Float32Array.from({corner})); vaelabExplorer.addCorner()")
        page.page.evaluate("vaelabExplorer.update({ pinned: { z: Float32Array.from([1, 1, 1]) } })")
        choice.select_option("points")
        page.until("vaelabExplorer.state.plane.kind === 'points'")
        np.testing.assert_allclose(page.state("pin"), [1, 1, 1])
        assert f"the pin lies {2 / 3**0.5:.2f} beside it" in page.page.locator(".vx-plane").inner_text()
        page.click([0.3, 0.3])
        page.until("!document.querySelector('.vx-plane').textContent.includes('beside it')")
        assert sum(page.state("pin")) == pytest.approx(1.0, abs=1e-4)
        assert page.faults == []
    context.close()


def test_a_copied_link_opens_where_the_page_was_never_open(page: Page, chromium, state_address: str):
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.page.evaluate("vaelabExplorer.update({ pinned: { image: 12 } })")
    page.press("Copy the address of exactly this view")
    page.until("[...document.querySelectorAll('button')].some((one) => one.textContent === 'Copied')")
    link = page.page.evaluate("navigator.clipboard.readText()")
    assert f"token={TOKEN}" in link
    assert "token" not in page.page.url
    context = chromium.new_context()
    other = Page(context.new_page()).open(link)
    assert other.state("pinImage") == 12
    assert "token" not in other.page.url
    context.close()


def test_a_run_trained_anew_is_said_and_shown(chromium, bundle: Bundle):
    """The server's bundle is another: what an open page asks of it is refused with the reason; loaded again it shows the new one."""
    own = bundle.explored[0]
    first, second = (
        Bundle((replace(own, name=name, images=own.images[:count], labels=np.asarray(own.labels)[:count]),))
        for name, count in (("first", 300), ("second", 200))
    )
    now = [first]
    source = Source(lambda: now[0], lambda: now[0].name)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(source) as address:
        page = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
        assert "first" in page.page.locator(".vx-title").inner_text()
        now[0] = second
        page.page.evaluate("vaelabExplorer.update({ epoch: 1 })")  # its decoder is with the server
        page.until("document.querySelector('.vx-problem').innerText.includes('trained anew')")
        page.faults.clear()
        page.page.get_by_role("button", name="Load the page again", exact=False).click()
        page.until("Boolean(window.vaelabExplorer?.state.decoded > 0)")
        assert "second" in page.page.locator(".vx-title").inner_text()
        assert page.page.evaluate("vaelabExplorer.pane.count") == 200
    context.close()


def test_both_maps_are_at_one_epoch_where_both_have_it(page: Page, two_priors: Explored):
    page.page.evaluate("vaelabExplorer.update({ tab: 'compare', other: { run: 0, prior: 1 }, epoch: 1 })")
    page.until("vaelabExplorer.state.second !== null")
    places = page.page.evaluate("[...vaelabExplorer.state.second.places.slice(0, 2)]")
    np.testing.assert_allclose(places, two_priors.snapshots[1].means[0].astype(np.float32), atol=1e-6)
    page.page.evaluate("vaelabExplorer.update({ other: { run: 1, prior: 0 } })")
    page.until("document.querySelectorAll('.vx-map-name')[1].textContent.includes('· trained')")


def test_the_picture_before_the_weights_is_the_one_that_is_pinned(chromium, state_address: str, two_priors: Explored):
    del two_priors
    context = chromium.new_context(locale="en-GB")
    page = Page(context.new_page())
    page.page.route("**/weights/**", lambda route: None)
    page.page.goto(f"{state_address}#lang=en&image=3")
    page.until("Boolean(window.vaelabExplorer?.state.pinImage === 3)")
    page.page.wait_for_timeout(200)
    assert not page.page.evaluate("document.querySelector('.vx-decoded').dataset.painted")
    context.close()
