"""What hands do: the wheel, two fingers, keys from wherever focus is, the language in the middle of it."""

from collections.abc import Iterator

import numpy as np
import pytest

from explorer.test_browser import VIEW, Page, draw_seven, lasso


@pytest.fixture
def page(chromium, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB", color_scheme="light")
    opened = Page(context.new_page()).open(f"{address}#lang=en&theme=light")
    yield opened
    context.close()
    assert opened.faults == []


def test_the_address_is_written_at_rest_and_a_refusal_stops_nothing(page: Page):
    """Safari allows a hundred calls in thirty seconds and throws at the next."""
    page.page.evaluate(
        """
        window.written = 0;
        history.replaceState = () => {
          window.written++;
          throw new DOMException("100 times per 30 seconds", "SecurityError");
        };
        undefined;
        """
    )
    slider = page.page.locator(".vx-bar .vx-slider").first
    slider.focus()
    for _ in range(60):
        page.page.keyboard.press("ArrowRight")
    page.page.wait_for_timeout(700)
    assert 1 <= page.page.evaluate("written") <= 5
    pin = page.state("pin")
    assert max(np.abs(pin)) == pytest.approx(0.6, abs=1e-5)
    assert page.page.evaluate(f"{VIEW}.marks.pin.join()") == page.page.evaluate("vaelabExplorer.state.pin.join()")
    assert page.page.locator(".vx-problem").is_hidden()


def test_one_listener_that_throws_does_not_stop_the_others(page: Page):
    page.page.evaluate(
        """
        window.called = 0;
        vaelabExplorer.store.listen(["pin"], () => { throw new Error("a listener of somebody else's"); });
        vaelabExplorer.store.listen(["pin"], () => { window.called++; });
        vaelabExplorer.pin(Float32Array.from([0.3, 0.3]));
        """
    )
    page.until("window.called === 1")


def touch(session, kind: str, *fingers: tuple[float, float]) -> None:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_about_their_middle_and_pin_nothing(chromium, address: str):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en-GB")
    page = Page(context.new_page()).open(f"{address}#lang=en")
    session = context.new_cdp_session(page.page)
    box = page.page.locator(".vx-overlay").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before, pin = page.page.evaluate(f"{VIEW}.scale"), page.state("pin")
    touch(session, "touchStart", (x - 40, y))
    touch(session, "touchStart", (x - 40, y), (x + 40, y))
    for spread in (50, 60, 70, 80):
        touch(session, "touchMove", (x - spread, y), (x + spread, y))
    touch(session, "touchEnd")
    page.page.wait_for_timeout(100)
    assert page.page.evaluate(f"{VIEW}.scale") == pytest.approx(2 * before, rel=0.02)
    assert page.state("pin") == pin
    assert page.state("hover") is None
    middle = page.page.evaluate(f"{VIEW}.toPlane({box['width'] / 2}, {box['height'] / 2})")
    np.testing.assert_allclose(middle, page.page.evaluate(f"{VIEW}.centre"), atol=0.05)
    assert page.faults == []
    context.close()


def test_the_wheel_scrolls_a_page_that_scrolls_and_zooms_with_control(chromium, address: str):
    """1440 x 900 at 200 % is 720 x 450."""
    context = chromium.new_context(viewport={"width": 720, "height": 450}, locale="en-GB")
    page = Page(context.new_page()).open(f"{address}#lang=en")
    before = page.page.evaluate(f"{VIEW}.scale")
    box = page.page.locator(".vx-overlay").first.bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.page.mouse.wheel(0, 240)
    page.until("document.scrollingElement.scrollTop > 100 || document.querySelector('.vx').scrollTop > 100")
    assert page.page.evaluate(f"{VIEW}.scale") == before
    assert "with Ctrl" in page.page.locator(".vx-plane").inner_text()
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -240)
    page.page.keyboard.up("Control")
    page.until(f"{VIEW}.scale > {before}")
    context.close()


def test_the_wheel_zooms_a_page_that_does_not_scroll(page: Page):
    before = page.page.evaluate(f"{VIEW}.scale")
    page.move([0.2, 0.2])
    page.page.mouse.wheel(0, -240)
    page.until(f"{VIEW}.scale > {before}")


def test_arrows_start_from_the_pin_wherever_focus_and_pointer_are(page: Page):
    page.move([2.0, 1.0])
    page.page.get_by_role("switch").filter(has_text="Holes").focus()
    page.page.keyboard.press("ArrowRight")
    np.testing.assert_allclose(page.state("pin"), [0.1, 0], atol=1e-6)
    page.page.locator("body").press("ArrowUp")
    np.testing.assert_allclose(page.state("pin"), [0.1, 0.1], atol=1e-6)
    page.page.locator(".vx-header select").focus()
    page.page.keyboard.press("n")
    np.testing.assert_allclose(page.state("pin"), [0.1, 0.1], atol=1e-6)  # a list keeps its letters


def test_escape_ends_what_is_under_way_and_then_the_selections(page: Page):
    page.tab("Select")
    page.press("The next lasso becomes selection A")
    lasso(page, [0, 0], 0.6)
    page.until("vaelabExplorer.state.selectionA !== null")
    page.page.locator(".vx-legend-item").first.focus()
    page.page.keyboard.press("Escape")
    page.until("vaelabExplorer.state.tool === 'explore'")
    assert page.state("selectionA") is not None
    page.page.mouse.move(3, 3)
    page.page.wait_for_timeout(60)
    page.page.keyboard.press("Escape")
    page.until("vaelabExplorer.state.selectionA === null")


def test_r_draws_again_from_wherever_focus_is(page: Page):
    draw_seven(page)
    page.page.get_by_role("switch").filter(has_text="Holes").focus()
    page.page.keyboard.press("r")
    page.until("vaelabExplorer.state.drawn.z !== vaelabExplorer.state.drawn.mean")
    page.tab("Sample")
    page.until("vaelabExplorer.state.samples.length === 40")
    first = page.page.evaluate("[...vaelabExplorer.state.samples[0]]")
    page.page.keyboard.press("r")
    page.until(f"vaelabExplorer.state.samples[0][0] !== {first[0]}")


def test_what_is_cleared_does_not_come_back(page: Page):
    page.page.evaluate(
        """
        const encode = vaelabExplorer.encode.bind(vaelabExplorer);
        vaelabExplorer.encode = async (image) => {
          const found = await encode(image);
          await new Promise((done) => setTimeout(done, 300));
          return found;
        };
        undefined;
        """
    )
    pad = page.page.locator(".vx-pad").bounding_box()
    page.page.mouse.move(pad["x"] + 50, pad["y"] + 45)
    page.page.mouse.down()
    page.page.mouse.move(pad["x"] + 100, pad["y"] + 100, steps=4)
    page.page.mouse.up()
    page.press("Clear the pad")
    page.page.wait_for_timeout(900)
    assert page.state("drawing") is None
    assert page.page.locator(".vx-draw .vx-words").inner_text() == ""
    assert not page.pixels(".vx-seen").any()


def test_a_slider_can_be_zero(page: Page):
    slider = page.page.locator(".vx-bar .vx-slider").first
    slider.focus()
    page.page.keyboard.press("Home")
    dimension = page.page.evaluate("vaelabExplorer.pane.order[0]")
    page.until(f"vaelabExplorer.state.pin[{dimension}] < -2")
    slider.fill("0")
    page.until(f"vaelabExplorer.state.pin[{dimension}] === 0")


def test_another_language_keeps_zoom_focus_sheet_and_drawing(page: Page):
    page.page.evaluate(f"vaelabExplorer.update({{ tab: 'sample' }}); {VIEW}.zoom(2.3, 100, 100)")
    page.until("document.querySelectorAll('.vx-panel:not([hidden]) .vx-sheet canvas').length === 40")
    seen = page.page.evaluate(f"[{VIEW}.scale, ...{VIEW}.centre, vaelabExplorer.state.samples[3][0]]")
    switch = page.page.get_by_role("button", name="这个页面也有中文", exact=True)
    switch.focus()
    page.page.keyboard.press("Enter")
    page.until("document.querySelector('#explorer').lang === 'zh-CN'")
    assert page.page.evaluate(f"[{VIEW}.scale, ...{VIEW}.centre, vaelabExplorer.state.samples[3][0]]") == seen
    assert page.page.evaluate("document.activeElement.textContent") == "English"


def test_a_hand_on_the_epochs_takes_over_from_play(page: Page):
    page.press("Play the training")
    page.until("vaelabExplorer.state.playing && vaelabExplorer.state.epoch === 1")
    slider = page.page.locator(".vx-replay .vx-epochs")
    box = slider.bounding_box()
    page.page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    page.page.mouse.down()
    page.page.mouse.up()
    page.until("vaelabExplorer.state.playing === false")
    at = page.state("epoch")
    page.page.wait_for_timeout(1100)
    assert page.state("epoch") == at == 0
