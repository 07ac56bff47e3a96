"""The page in a real browser, with a real mouse and keyboard: each thing that one can do, and what comes of it."""

import base64
import io
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.local_server import Serving
from vaelab.explorer.bundle import Bundle, manifold
from vaelab.explorer.economy import Economy
from vaelab.explorer.export import write_export
from vaelab.generating import decode, encode

VIEW = "vaelabExplorer.frame.maps.views[0]"


class Page:
    """The explorer's page, with words for what a user does."""

    def __init__(self, page):
        self.page = page
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str) -> "Page":
        self.page.goto(address)
        self.until("Boolean(window.vaelabExplorer && vaelabExplorer.state.decoded > 0)")
        return self

    def until(self, condition: str) -> None:
        """Wait until it holds, and until the views of the page have been called: that is in the frame after a change."""
        for _ in range(1200):
            if self.page.evaluate(condition):
                self.page.evaluate("new Promise((done) => requestAnimationFrame(done))")
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(
            f"never: {condition}; problem: {self.page.evaluate('window.vaelabExplorer?.state.problem')}"
        )

    def state(self, what: str):
        return self.page.evaluate(
            f"(() => {{ const value = vaelabExplorer.state.{what}; return ArrayBuffer.isView(value) ? [...value] : value; }})()"
        )

    def place(self, z) -> tuple[float, float]:
        """Where a latent lies on the screen."""
        box = self.page.locator(".vx-overlay").first.bounding_box()
        x, y = self.page.evaluate(f"{VIEW}.placeOf(Float32Array.from({list(map(float, z))}))")
        return box["x"] + x, box["y"] + y

    def move(self, z, steps: int = 1) -> None:
        self.page.mouse.move(*self.place(z), steps=steps)

    def click(self, z) -> None:
        self.page.mouse.click(*self.place(z))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def layer(self, name: str) -> None:
        self.page.get_by_role("switch").filter(has_text=re.compile(f"^{name}$")).click()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def decoded(self, z) -> np.ndarray:
        """The picture of a latent, once it is on the canvas: bytes (784,)."""
        wanted = [float(np.float32(value)) for value in z]
        self.until(
            f"(() => {{ const z = (document.querySelector('.vx-decoded').dataset.z ?? '').split(',').map(Number);"
            f" return {wanted}.every((value, i) => Math.abs(value - z[i]) < 1e-4); }})()"
        )
        return self.pixels(".vx-decoded")

    def pixels(self, selector: str) -> np.ndarray:
        """The red values of a canvas, in a row."""
        return picture_in(self.page.evaluate("selector => document.querySelector(selector).toDataURL()", selector))[
            :, :, 0
        ].ravel()

    def layer_pixels(self, name: str) -> np.ndarray:
        """One canvas of the map, RGBA."""
        return picture_in(self.page.evaluate(f"{VIEW}.{name}.toDataURL()"))


def picture_in(address: str) -> np.ndarray:
    """The pixels of a data: address, (height, width, 4)."""
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as opened:
        return np.array(opened.convert("RGBA"))


@pytest.fixture
def page(chromium, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", color_scheme="light")
    opened = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
    yield opened
    context.close()
    assert opened.faults == []


@pytest.fixture
def latents(bundle: Bundle) -> np.ndarray:
    return encode(bundle.explored[0].model, bundle.explored[0].images).mean


@pytest.fixture
def picture_of(bundle: Bundle) -> Callable:
    """The bytes that the page should show for a latent."""

    def picture(z) -> np.ndarray:
        return np.rint(255 * decode(bundle.explored[0].model, np.asarray(z, np.float32)[None])[0]).ravel()

    return picture


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal bytes, but for a rounding at one half."""
    return found.shape == expected.shape and np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_the_figures_of_python_show_before_the_weights_have_loaded(chromium, address: str, bundle: Bundle):
    """Map, nearest image, and the middle of the decoded grid; then the weights come."""
    context = chromium.new_context(locale="en-GB")
    page = Page(context.new_page())
    held = []
    page.page.route("**/weights/*", lambda route: held.append(route))
    page.page.goto(f"{address}#lang=en&theme=light")
    page.until("Boolean(document.querySelector('.vx-decoded')?.dataset.painted)")
    assert "loading the weights" in page.page.locator(".vx-header").inner_text()
    assert page.page.evaluate("vaelabExplorer.state.decoded") == 0
    grid = manifold(bundle.explored[0].model, bundle.explored[0].shown)
    assert same(page.pixels(".vx-decoded"), grid.reshape(-1, 784)[112])
    assert (page.layer_pixels("dots")[:, :, 3] > 150).sum() > 1000
    for route in held:
        route.continue_()
    page.until("vaelabExplorer.state.decoded > 0")
    assert page.faults == []
    context.close()


def test_moving_decodes_and_leaving_returns_to_the_pin(page: Page, picture_of):
    assert same(page.decoded([0, 0]), picture_of([0, 0]))
    page.move([1.0, 0.5], steps=12)
    z = page.state("hover")
    np.testing.assert_allclose(z, [1.0, 0.5], atol=0.02)
    assert same(page.decoded(z), picture_of(z))
    assert page.page.locator(".vx-z").inner_text().startswith(f"({z[0]:.2f}")
    page.page.mouse.move(3, 3)
    assert same(page.decoded([0, 0]), picture_of([0, 0]))


def test_beside_it_stand_density_nearest_image_and_distance_from_data(page: Page, bundle: Bundle, latents):
    page.move([0.5, -0.5])
    z = np.array(page.state("hover"))
    page.decoded(z)
    log_prior = -np.log(2 * np.pi) - 0.5 * (z**2).sum()
    assert page.page.locator(".vx-numbers dd").nth(1).inner_text() == f"{log_prior:.2f} nats".replace("-", "−")
    nearest = int(np.linalg.norm(latents - z, axis=1).argmin())
    assert f"Nearest test image {nearest} ·" in page.page.locator(".vx-readout").inner_text()
    assert same(page.pixels(".vx-nearest"), bundle.explored[0].images[nearest].ravel())
    box = page.page.locator(".vx-overlay").first.bounding_box()
    page.page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.until("document.querySelector('.vx-meter').dataset.verdict === 'far'")
    assert "Far from any data" in page.page.locator(".vx-far").inner_text()


def test_a_click_pins_and_the_address_brings_another_there(page: Page, chromium, address: str, latents):
    page.click(latents[5])
    page.until("vaelabExplorer.state.pinImage !== null")
    pinned = page.state("pinImage")
    np.testing.assert_allclose(page.state("pin"), latents[pinned], atol=1e-5)
    page.page.mouse.move(3, 3)
    page.until("location.hash.includes('image=')")
    link = page.page.url.split("#")[1]
    assert f"image={pinned}&" in link
    context = chromium.new_context()
    try:
        other = Page(context.new_page()).open(f"{address}#{link}")
        assert other.state("pinImage") == pinned
    finally:
        context.close()


def test_the_keyboard_moves_pins_and_speaks(page: Page):
    page.page.locator(".vx-overlay").first.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Shift+ArrowUp")
    np.testing.assert_allclose(page.state("pin"), [0.1, 0.5], atol=1e-6)
    page.page.keyboard.press("n")
    assert page.state("pinImage") is not None
    page.until("document.querySelector('.vx-spoken').textContent.includes('Nearest class')")
    page.page.get_by_role("tab", name="Draw", exact=True).focus()
    page.page.keyboard.press("ArrowRight")
    page.until("vaelabExplorer.state.tab === 'interpolate'")


def test_ellipses_are_true_to_scale(page: Page, bundle: Bundle, latents):
    """The half-axes of the pinned image's ellipse on screen are its sigmas times the map's scale."""
    far = int(np.linalg.norm(latents, axis=1).argmax())  # nothing lies upon it
    log_variance = encode(bundle.explored[0].model, bundle.explored[0].images[far : far + 1]).log_variance
    sigma = np.exp(0.5 * log_variance[0])
    scale = 150 / float(sigma.max())
    page.layer("Points")
    page.page.evaluate(f"vaelabExplorer.pin(vaelabExplorer.pane.meanOf({far}), {far})")
    page.page.evaluate(f"{VIEW}.centre = [{latents[far][0]}, {latents[far][1]}], {VIEW}.scale = {scale}, {VIEW}.draw()")
    page.page.mouse.move(3, 3)
    page.page.wait_for_timeout(150)
    drawn = page.layer_pixels("overlay")[24:-24, 40:, 3] > 100  # without the axes' numbers
    rows, columns = np.nonzero(drawn)
    # the line itself is 1.8 pixels wide
    assert np.ptp(columns) + 1 == pytest.approx(2 * scale * sigma[0] + 1.8, abs=2.5)
    assert np.ptp(rows) + 1 == pytest.approx(max(2 * scale * sigma[1], 18) + 1.8, abs=2.5)
    before = page.layer_pixels("ground")
    page.layer("Posteriors")
    page.page.wait_for_timeout(150)
    assert (page.layer_pixels("ground") != before).any()


@pytest.mark.parametrize("name", ["Prior", "Aggregate posterior", "Holes", "Decoded grid"])
def test_a_layer_has_a_switch_that_shows_it(page: Page, name: str):
    before = page.layer_pixels("ground")
    page.layer(name)
    page.page.wait_for_timeout(150)
    after = page.layer_pixels("ground")
    assert (before != after).any()
    page.layer(name)
    page.page.wait_for_timeout(150)
    assert (page.layer_pixels("ground") == before).all()


def test_the_rings_of_the_prior_lie_at_one_two_and_three_sigma(page: Page):
    page.layer("Points")
    page.page.wait_for_timeout(100)
    with_rings = page.layer_pixels("ground")
    page.layer("Prior")
    page.page.wait_for_timeout(100)
    ring = (with_rings != page.layer_pixels("ground")).any(axis=2)
    rows, columns = np.nonzero(ring)
    scale = page.page.evaluate(f"{VIEW}.scale")
    middle = page.page.evaluate(f"{VIEW}.toScreen(0, 0)")
    radii = np.hypot(columns + 0.5 - middle[0], rows + 0.5 - middle[1]) / scale
    assert np.abs(radii - np.rint(radii)).max() < 2.5 / scale
    assert set(np.rint(radii)) == {1, 2, 3}


def test_the_exact_posterior_of_the_pinned_image_shows_how_far_q_falls_short(page: Page, bundle: Bundle, latents):
    import jax
    import jax.numpy as jnp

    page.page.evaluate("vaelabExplorer.pin(vaelabExplorer.pane.meanOf(0), 0)")
    page.layer("Exact posterior")
    page.until("/KL|p\\(x\\)/.test(document.querySelector('.vx-gap')?.textContent ?? '')")
    shown = float(re.search(r"−log p\(x\) = ([\d.]+) nats", page.page.locator(".vx-gap").inner_text())[1])
    # The same by a finer grid in JAX.
    model, image = bundle.explored[0].model, jnp.asarray(bundle.explored[0].images[0] / np.float32(255.0), jnp.float32)
    prior = model.prior_density()
    axis = jnp.linspace(-6, 6, 400)
    grid = jnp.stack(jnp.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    joint = jax.lax.map(lambda z: model.likelihood(z).log_prob(image) + prior.log_prob(z), grid, batch_size=2000)
    expected = -float(jax.nn.logsumexp(joint) + 2 * jnp.log(axis[1] - axis[0]))
    assert shown == pytest.approx(expected, abs=0.05)


def test_the_legend_mutes_and_solos(page: Page):
    count = lambda: int((page.layer_pixels("dots")[:, :, 3] > 150).sum())  # noqa: E731
    everything = count()
    page.page.locator(".vx-legend-item").nth(1).click()
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("[...vaelabExplorer.state.muted]") == [1]
    assert count() < everything
    page.page.locator(".vx-legend-item").nth(7).click(modifiers=["Shift"])
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("[...vaelabExplorer.state.muted].sort()") == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def draw_seven(page: Page, says: str = "Negative ELBO") -> None:
    pad = page.page.locator(".vx-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.page.mouse.move(box["x"] + 50, box["y"] + 45)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 140, box["y"] + 48, steps=8)
    page.page.mouse.move(box["x"] + 88, box["y"] + 155, steps=10)
    page.page.mouse.up()
    page.until(
        f"vaelabExplorer.state.drawn !== null && /{says}/.test(document.querySelector('.vx-draw .vx-words').textContent)"
    )
    page.page.wait_for_timeout(150)


def test_a_drawn_seven_lands_among_the_sevens(page: Page, bundle: Bundle, latents):
    draw_seven(page)
    mean = np.array(page.page.evaluate("[...vaelabExplorer.state.drawn.mean]"))
    labels = bundle.explored[0].labels
    ten_nearest = labels[np.argsort(np.linalg.norm(latents - mean, axis=1))[:10]]
    assert np.bincount(ten_nearest, minlength=10).argmax() == 7
    # What the network sees is the drawing in MNIST's manner, and its code is the encoder's.
    seen = page.pixels(".vx-seen").reshape(28, 28) / 255
    rows, columns = np.nonzero(seen)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (20, 21)
    expected = encode(bundle.explored[0].model, seen[None].astype(np.float32)).mean[0]
    np.testing.assert_allclose(mean, expected, atol=0.05)
    words = page.page.locator(".vx-draw .vx-words").inner_text()
    total, cost, rate = (
        float(value.replace("−", "-"))
        for value in re.search(r"ELBO (\S+) nats = reconstruction (\S+) \+ KL (\S+)\.", words).groups()
    )
    assert total == pytest.approx(cost + rate, abs=0.2)
    page.press("Draw another z from the drawing's posterior (R)")
    page.until("vaelabExplorer.state.drawn.z !== vaelabExplorer.state.drawn.mean")


def test_an_image_file_is_opened_and_what_is_none_is_refused(page: Page, tmp_path: Path, bundle: Bundle):
    digit = np.kron(255 - bundle.explored[0].images[0], np.ones((6, 6), np.uint8))  # dark ink on light paper
    Image.fromarray(digit).save(tmp_path / "seven.png")
    (tmp_path / "words.png").write_text("no image")
    chooser = page.page.locator("input[type=file]")
    chooser.set_input_files(tmp_path / "words.png")
    page.until("document.querySelector('.vx-draw .vx-words').textContent.includes('cannot be used')")
    assert page.state("drawn") is None
    page.faults.clear()  # the browser itself reports the refusal
    chooser.set_input_files(tmp_path / "seven.png")
    page.until("vaelabExplorer.state.drawn !== null")
    seen = np.array(page.page.evaluate("[...vaelabExplorer.state.drawn.image]"))
    assert np.abs(seen - bundle.explored[0].images[0].ravel() / 255).mean() < 0.03


def test_interpolation_goes_from_one_point_to_the_other(page: Page, picture_of):
    page.tab("Interpolate")
    page.click([-1.2, 0.9])
    page.click([1.1, -0.8])
    page.until("document.querySelectorAll('.vx-panel:not([hidden]) .vx-strip canvas').length === 11")
    ends = [page.page.evaluate(f"[...vaelabExplorer.state.ends.{name}]") for name in "ab"]
    middle = (np.array(ends[0]) + np.array(ends[1])) / 2
    canvases = ".vx-panel:not([hidden]) .vx-strip > :nth-child({}) canvas"
    for place, z in ((1, ends[0]), (6, middle), (11, ends[1])):
        assert same(page.pixels(canvases.format(place)), picture_of(z))
    page.page.locator(".vx-panel:not([hidden]) select").select_option("spherical")
    page.until("vaelabExplorer.state.way === 'spherical'")
    norms = page.page.evaluate(f"{VIEW}.marks.path.way.map((z) => Math.hypot(...z))")
    assert min(norms) > 0.9 * min(map(math.hypot, *zip(*ends, strict=True))) or len(norms) == 41


def lasso(page: Page, centre, radius: float) -> None:
    outline = [
        page.place([centre[0] + radius * math.cos(k * math.pi / 10), centre[1] + radius * math.sin(k * math.pi / 10)])
        for k in range(21)
    ]
    page.page.mouse.move(*outline[0])
    page.page.mouse.down()
    for spot in outline[1:]:
        page.page.mouse.move(*spot, steps=2)
    page.page.mouse.up()


def test_a_lasso_catches_the_right_images_and_two_make_a_direction(page: Page, bundle: Bundle, latents, picture_of):
    labels = bundle.explored[0].labels
    centres = [np.median(latents[labels == label], axis=0) for label in (0, 1)]
    page.tab("Select")
    page.press("The next lasso becomes selection A")
    lasso(page, centres[0], 0.5)
    page.until("vaelabExplorer.state.selectionA !== null")
    caught = page.state("selectionA")
    distance = np.linalg.norm(latents - centres[0], axis=1)
    assert set(np.nonzero(distance < 0.47)[0]) <= set(caught) <= set(np.nonzero(distance < 0.53)[0])
    page.until("document.querySelectorAll('.vx-catch').length === 1")
    mean = latents[caught].mean(axis=0)
    assert same(page.pixels(".vx-catch figure canvas"), picture_of(mean))
    text = page.page.locator(".vx-catch").inner_text()
    assert f"A: {len(caught)} images" in text
    page.press("The next lasso becomes selection B")
    lasso(page, centres[1], 0.5)
    page.until("document.querySelectorAll('.vx-catch').length === 3")
    other = latents[page.state("selectionB")].mean(axis=0)
    pin = np.array(page.state("pin"))
    # The last section: pinned point + 1 x (B - A) is its fifth picture.
    assert same(page.pixels(".vx-catch:last-child .vx-strip > :nth-child(5) canvas"), picture_of(pin + other - mean))


def test_the_bars_are_sliders_and_traversals_follow(page: Page, picture_of):
    slider = page.page.locator(".vx-bar .vx-slider").first
    slider.focus()
    before = np.array(page.state("pin"))
    for _ in range(30):
        page.page.keyboard.press("ArrowRight")
    after = np.array(page.state("pin"))
    assert (np.abs(after - before) > 0.25).sum() == 1
    assert same(page.decoded(after), picture_of(after))
    page.tab("Traverse")
    page.until("document.querySelectorAll('.vx-traversal').length === 2")
    dimension = page.page.evaluate("vaelabExplorer.pane.order[0]")
    z = after.copy()
    z[dimension] = 2.0
    assert same(page.pixels(".vx-traversal:first-child .vx-strip > :nth-child(6) canvas"), picture_of(z))


def test_a_sheet_of_draws_shows_where_each_comes_from(page: Page, picture_of):
    page.tab("Sample")
    page.until(
        "vaelabExplorer.state.samples.length === 40 && document.querySelectorAll('.vx-panel:not([hidden]) .vx-sheet canvas').length === 40"
    )
    z = page.page.evaluate("[...vaelabExplorer.state.samples[7]]")
    assert same(page.pixels(".vx-panel:not([hidden]) .vx-sheet > :nth-child(8) canvas"), picture_of(z))
    first = page.page.evaluate("vaelabExplorer.state.samples.map((z) => [...z])")
    page.page.locator(".vx-panel:not([hidden]) select").nth(1).select_option("holes")
    page.until(f"vaelabExplorer.state.samples[0][0] !== {first[0][0]}")
    emptiest = page.page.evaluate("vaelabExplorer.state.samples.map((z) => vaelabExplorer.pane.around(z).logDensity)")
    drawn = page.page.evaluate(f"{first}.map((z) => vaelabExplorer.pane.around(z).logDensity)")
    assert max(emptiest) < np.median(drawn)


def test_the_replay_moves_points_grid_bars_and_curves_together(page: Page, bundle: Bundle):
    page.layer("Decoded grid")
    page.page.wait_for_timeout(150)

    def seen() -> dict:
        bars = page.page.evaluate("[...document.querySelectorAll('.vx-amount')].map((one) => one.textContent)")
        return {
            "dots": page.layer_pixels("dots").tobytes(),
            "ground": page.layer_pixels("ground").tobytes(),
            "bars": str(bars),
            "curves": page.pixels(".vx-curves").tobytes(),
            "words": page.page.locator(".vx-losses").inner_text(),
        }

    trained = seen()
    slider = page.page.locator(".vx-replay .vx-epochs")
    slider.focus()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("ArrowRight")
    page.until("vaelabExplorer.state.epoch === 1")
    page.page.wait_for_timeout(250)
    early = seen()
    assert all(early[what] != trained[what] for what in trained)
    snapshot = bundle.explored[0].snapshots[1]
    places = page.page.evaluate("[...vaelabExplorer.pane.places.slice(0, 20)]")
    np.testing.assert_allclose(np.reshape(places, (10, 2)), snapshot.means[:10].astype(np.float32), atol=1e-6)
    assert page.page.locator(".vx-epoch").inner_text() == f"epoch {snapshot.epoch}"
    page.page.keyboard.press("End")
    page.until("vaelabExplorer.state.epoch === null")
    page.page.wait_for_timeout(250)
    assert seen()["dots"] == trained["dots"]


def test_two_runs_side_by_side_light_up_the_same_image(page: Page, bundle: Bundle):
    page.tab("Compare")
    page.until("vaelabExplorer.panes[1] !== null && !document.querySelectorAll('.vx-map-box')[1].hidden")
    page.page.wait_for_timeout(200)
    page.move([0.4, 0.6])
    page.until("vaelabExplorer.state.nearest !== null")
    image = page.state("nearest")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("vaelabExplorer.frame.maps.views[1].marks.lit") == image
    expected = encode(bundle.explored[1].model, bundle.explored[1].images[image : image + 1]).mean
    picture = np.rint(255 * decode(bundle.explored[1].model, expected)[0]).ravel()
    page.until("document.querySelectorAll('.vx-panel:not([hidden]) .vx-seen')[2].dataset.painted > 0")
    page.page.wait_for_timeout(300)
    assert same(page.pixels(".vx-panel:not([hidden]) figure:nth-child(3) canvas"), picture)
    page.tab("Draw")
    page.until("document.querySelectorAll('.vx-map-box')[1].hidden")


def test_more_than_two_dimensions_are_seen_on_a_plane_that_is_named(chromium, bundle: Bundle):
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    other = bundle.explored[1]
    with Serving(Bundle((other,))) as address:
        page = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
        assert "plane z" in page.page.locator(".vx-plane").inner_text()
        assert page.page.get_by_role("switch").filter(has_text="Exact posterior").is_disabled()
        page.page.locator(".vx-toolbar select").select_option("pca")
        page.until("vaelabExplorer.state.plane.kind === 'pca'")
        assert "principal components" in page.page.locator(".vx-plane").inner_text()
        page.page.mouse.move(500, 420)
        page.until("vaelabExplorer.state.hover !== null")
        z = np.array(page.state("hover"), np.float32)
        expected = np.rint(255 * decode(other.model, z[None])[0]).ravel()
        assert same(page.decoded(z), expected)
        for corner in ([1, 0, 0], [0, 1, 0], [0, 0, 1]):
            page.page.evaluate(f"vaelabExplorer.pin(Float32Array.from({corner}))")
            page.page.get_by_role("button", name="Remember the pinned point", exact=False).click()
        page.page.locator(".vx-toolbar select").select_option("points")
        page.until("vaelabExplorer.state.plane.kind === 'points'")
        page.page.mouse.move(520, 400)
        page.until("vaelabExplorer.state.hover !== null")
        assert sum(page.state("hover")) == pytest.approx(1.0, abs=1e-4)  # the plane through the three unit vectors
        assert page.faults == []
    context.close()


def test_chinese_and_dark(page: Page):
    page.press("这个页面也有中文")
    page.until("document.querySelector('#explorer').lang === 'zh-CN'")
    text = page.page.locator("#explorer").inner_text()
    for words in (
        "先验",
        "数据点",
        "后验椭圆",
        "空洞",
        "解码网格",
        "手绘",
        "插值",
        "采样",
        "最近的测试图像",
        "由本页解码",
    ):
        assert words in text
    light = page.page.evaluate("getComputedStyle(document.querySelector('.vx')).backgroundColor")
    page.press("浅色或深色")
    page.until("document.querySelector('.vx').dataset.theme === 'dark'")
    assert page.page.evaluate("getComputedStyle(document.querySelector('.vx')).backgroundColor") != light


def test_every_control_says_what_it_does(page: Page):
    nameless = page.page.evaluate(
        "[...document.querySelectorAll('#explorer button, #explorer select, #explorer input:not([type=file]), #explorer a')]"
        ".filter((one) => !one.title && !one.getAttribute('aria-label')).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert nameless == []


def test_it_fits_a_telephone(chromium, address: str):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, has_touch=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{address}#lang=en")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.page.locator(".vx-overlay").first.bounding_box()
    assert box["width"] > 300
    page.page.touchscreen.tap(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
    page.until("Math.hypot(...vaelabExplorer.state.pin) > 0.1")
    assert page.faults == []
    context.close()


def test_the_exported_file_opens_from_the_disk_and_asks_for_nothing(
    chromium, bundle: Bundle, tmp_path: Path, picture_of
):
    path = tmp_path / "latent.html"
    write_export(bundle, path)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, offline=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{path.as_uri()}#lang=en&theme=light")
    assert [url for url in page.requests if not url.startswith(("data:", "blob:"))] == [
        page.page.url.split("#")[0]
    ] or all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)
    assert sum(url.startswith("file:") for url in page.requests) == 1
    page.move([0.7, 0.2])
    z = page.state("hover")
    assert np.abs(page.decoded(z).astype(int) - picture_of(z)).max() <= 3  # half precision
    draw_seven(page)
    page.page.locator(".vx-replay .vx-epochs").focus()
    page.page.keyboard.press("Home")
    page.until("vaelabExplorer.state.epoch === 0")
    page.page.wait_for_timeout(300)
    assert page.faults == []
    context.close()


def test_a_file_with_smaller_pictures_says_so_and_gives_no_costs(
    chromium, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "light.html"
    monkeypatch.setattr("vaelab.explorer.export.economies", lambda shapes, **_: iter([Economy(0, 0.5)]))
    write_export(bundle, path)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, offline=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{path.as_uri()}#lang=en&theme=light")
    header = page.page.locator(".vx-header").inner_text()
    assert "pictures at 14 × 14 of 28 × 28 pixels" in header
    assert "without the decoders of earlier epochs" in header
    exact = page.page.get_by_role("switch").filter(has_text=re.compile("^Exact posterior$"))
    assert exact.is_disabled()
    assert "smaller pictures" in exact.get_attribute("title")
    page.move([0.7, 0.2])
    z = page.state("hover")
    whole = decode(bundle.explored[0].model, np.array([z], np.float32))[0]
    expected = 255 * whole.reshape(14, 2, 14, 2).mean(axis=(1, 3)).ravel()
    assert page.decoded(z).shape == (196,)
    assert np.abs(page.decoded(z) - expected).mean() < 4  # averaged before the sigmoid
    draw_seven(page, "No cost in nats")
    page.page.evaluate("vaelabExplorer.update({ lang: 'zh' })")
    page.until("document.querySelector('.vx-header').innerText.includes('图像缩小为 14 × 14')")
    assert page.faults == []
    context.close()


def test_when_the_server_is_gone_the_page_keeps_what_it_has(chromium, bundle: Bundle):
    context = chromium.new_context(locale="en-GB")
    server = Serving(bundle)
    page = Page(context.new_page()).open(f"{server.__enter__()}#lang=en")
    server.__exit__()
    page.page.evaluate("vaelabExplorer.pin(Float32Array.from([0.3, 0.3]))")
    page.decoded([0.3, 0.3])
    assert page.state("problem") is None
    # An epoch's decoder is still with the server: that is said, the points of the epoch are there all the same.
    page.page.locator(".vx-replay .vx-epochs").focus()
    page.page.keyboard.press("Home")
    page.until("document.querySelector('.vx-problem').innerText.includes('not answer, and this needs it')")
    assert page.page.evaluate("vaelabExplorer.pane.places.length") > 0
    with Serving(bundle, server.port):
        page.page.evaluate("vaelabExplorer.pin(Float32Array.from([0.4, 0.3]))")
        page.until("vaelabExplorer.state.problem === null")
    context.close()


def test_a_model_that_the_page_does_not_know_is_decoded_by_the_server(
    chromium, bundle: Bundle, picture_of, monkeypatch
):
    from vaelab.explorer import bundle as module

    monkeypatch.setattr(module, "PAGE_MULTIPLICATIONS", 10)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    server = Serving(Bundle(bundle.explored[:1]))
    page = Page(context.new_page()).open(f"{server.__enter__()}#lang=en&theme=light")
    assert "decoded by the server" in page.page.locator(".vx-header").inner_text()
    page.move([0.7, 0.2], steps=8)
    z = page.state("hover")
    assert same(page.decoded(z), picture_of(z))
    server.__exit__()
    page.until("document.querySelector('.vx-problem').innerText.includes('The server does not answer')")
    assert page.page.locator(".vx-legend-item").count() == 10
    with Serving(Bundle(bundle.explored[:1]), server.port):
        page.until("vaelabExplorer.state.connected === true")
        page.page.evaluate("vaelabExplorer.pin(Float32Array.from([0.4, 0.3]))")
        page.page.mouse.move(3, 3)
        assert same(page.decoded([0.4, 0.3]), picture_of([0.4, 0.3]))
        page.until("document.querySelector('.vx-problem').hidden")
    context.close()


def test_weights_with_a_nan_are_named(chromium, bundle: Bundle):
    import equinox as eqx
    import jax.numpy as jnp

    from vaelab.explorer.explored import explored_model

    explored = bundle.explored[0]
    whole = explored_model(explored.model, explored.images[:50], explored.labels[:50])
    broken = Bundle((whole,))
    assert broken.view
    damaged = eqx.tree_at(lambda model: model.decoder.heads["logits"].bias, explored.model, jnp.full(784, jnp.nan))
    object.__setattr__(whole, "model", damaged)
    context = chromium.new_context(locale="en-GB")
    with Serving(broken) as address:
        page = Page(context.new_page())
        page.page.goto(f"{address}#lang=en")
        page.until("Boolean(window.vaelabExplorer?.state.problem)")
        assert "NaN" in page.state("problem")
        assert "decoder.heads.logits.bias" in page.page.locator(".vx-problem").inner_text()
    context.close()


def test_two_tabs_on_one_server_do_not_disturb_each_other(chromium, bundle: Bundle, picture_of, monkeypatch):
    """Both decoded by the server, over a socket each: what one pins, the other does not; closing one leaves the other."""
    from vaelab.explorer import bundle as module

    monkeypatch.setattr(module, "PAGE_MULTIPLICATIONS", 10)
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    with Serving(Bundle(bundle.explored[:1])) as address:
        first = Page(context.new_page()).open(f"{address}#lang=en")
        second = Page(context.new_page()).open(f"{address.split('?')[0]}#lang=zh&theme=dark")  # the first one's cookie
        for k in range(5):
            first.page.evaluate(f"vaelabExplorer.pin(Float32Array.from([{k / 5}, 0.3]))")
            second.page.evaluate(f"vaelabExplorer.pin(Float32Array.from([0.3, {-k / 5}]))")
        assert same(first.decoded([0.8, 0.3]), picture_of([0.8, 0.3]))
        assert same(second.decoded([0.3, -0.8]), picture_of([0.3, -0.8]))
        assert (first.state("lang"), second.state("lang")) == ("en", "zh")
        first.page.close()
        second.page.evaluate("vaelabExplorer.pin(Float32Array.from([1, 1]))")
        assert same(second.decoded([1, 1]), picture_of([1, 1]))
        assert first.faults == second.faults == []
    context.close()


HOSTED = """
async ([source, style, view, weights]) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const sheet = document.createElement("style");
  sheet.textContent = style;
  document.head.append(sheet);
  const { default: widget } = await import(`data:text/javascript;base64,${source}`);
  window.cells = [0, 1].map(() => {
    const values = { view: bytes(view), weights: weights.map(bytes), height: "860px", lang: "en", theme: "light" };
    const handlers = {};
    const model = {
      sent: [],
      get: (name) => values[name],
      set(name, value) { values[name] = value; },
      save_changes() { this.sent.push({ ...values }); },
      on: (name, call) => void (handlers[name] = call),
      off: () => {},
      change(name, value) { values[name] = value; handlers[`change:${name}`](); },
    };
    const el = document.createElement("div");
    el.style.width = "560px";
    document.body.append(el);
    return { model, el, end: widget.render({ model, el }) };
  });
}
"""


def test_two_widgets_in_one_notebook_live_side_by_side(chromium, bundle: Bundle):
    """The module as anywidget loads it, in cells as narrow as a notebook's: `render` with a model and an element."""
    from vaelab.explorer.assemble import notebook_module, style_sheet

    text = lambda content: base64.b64encode(content).decode()  # noqa: E731
    weights = [text(bundle.weights(run, half=True)) for run in range(len(bundle.explored))]
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", offline=True)
    page = Page(context.new_page())
    page.page.evaluate(
        HOSTED, [text(notebook_module().encode()), style_sheet(), text(bundle.light_view(Economy())), weights]
    )
    decoded = "(n) => cells[n].el.querySelector('.vx-decoded').dataset.z ?? ''"
    page.until("cells.every(({ el }) => el.querySelector('.vx-decoded')?.dataset.z)")
    widths = page.page.evaluate(
        "['.vx-maps', '.vx-side'].map((part) => cells[0].el.querySelector(part).getBoundingClientRect().left)"
    )
    assert widths[0] == widths[1]  # one column, below each other
    assert page.page.evaluate("cells[0].el.querySelector('.vx').scrollWidth") <= 560
    overlay = page.page.locator(".vx-overlay").nth(1)
    overlay.scroll_into_view_if_needed()
    overlay.click(position={"x": 150, "y": 200})
    page.until("cells[1].model.sent.length > 0")
    pinned = page.page.evaluate("cells[1].model.sent.at(-1).pinned")
    page.page.mouse.move(2, 2)
    page.until("cells[1].el.querySelector('.vx-decoded').dataset.z !== '0,0'")
    np.testing.assert_allclose([float(one) for one in page.page.evaluate(decoded, 1).split(",")], pinned, atol=1e-6)
    assert page.page.evaluate(decoded, 0) == "0,0"
    assert page.page.evaluate("cells[0].model.sent") == []
    page.page.evaluate("cells[0].model.change('lang', 'zh')")
    page.until("cells[0].el.innerText.includes('先验')")
    page.page.evaluate("cells[0].end()")
    assert page.page.locator(".vx-overlay").count() == 1
    assert page.faults == []
    context.close()
