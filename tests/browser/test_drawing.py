"""Drawing on the page: by mouse, finger and keyboard."""

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.app.running_app import RunningApp
from tests.browser.conftest import Visit
from tests.browser.strokes import DIGITS
from tests.browser.visitor import Visitor

PHONE = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("label", DIGITS)
def test_a_drawn_digit_is_read(visit: Visit, running_app: RunningApp, label: str) -> None:
    """What a hand draws is what the page answers, with three labels and the time it took."""
    visitor = visit(running_app)
    visitor.draw(label)
    visitor.sees(label)
    expect(visitor.page.locator("#ranks li")).to_have_count(3)
    expect(visitor.page.locator("#took")).to_contain_text("ms there and back")


@pytest.mark.parametrize("label", ["2", "4"])
def test_a_finger_draws_on_a_phone(visit: Visit, running_app: RunningApp, label: str) -> None:
    """On the narrowest phone a finger draws, without moving the page, and the answer is on the screen beside it."""
    visitor = visit(running_app, **PHONE)
    client = visitor.page.context.new_cdp_session(visitor.page)
    for stroke in DIGITS[label]:
        for place, (x, y) in enumerate(visitor.places(stroke)):
            kind = "touchMove" if place else "touchStart"
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    visitor.sees(label)
    expect(visitor.page.locator("#best")).to_be_in_viewport(ratio=1)
    assert visitor.page.evaluate("[scrollX, scrollY, document.documentElement.scrollWidth]") == [0, 0, 320]


@pytest.mark.parametrize("size", [0.25, 1.2])
def test_neither_size_nor_place_matters(visit: Visit, running_app: RunningApp, size: float) -> None:
    """A digit is read as well where it is small and in a corner, or fills the pad."""
    visitor = visit(running_app)
    corner = 0.02 if size < 1 else (1 - size) / 2
    for stroke in DIGITS["3"]:
        visitor.stroke([(corner + x * size, corner + y * size) for x, y in stroke])
    visitor.sees("3")


def test_a_seven_is_drawn_with_nothing_but_keys(visit: Visit, running_app: RunningApp) -> None:
    """The keyboard reaches the pad, draws, takes back and clears."""
    visitor = visit(running_app)
    keys = visitor.page.keyboard
    _tab_to(visitor, visitor.page.locator("#pad"))
    _press(visitor, "ArrowLeft ArrowLeft ArrowLeft ArrowUp ArrowUp ArrowUp ArrowUp ArrowUp ArrowUp Space")
    _press(visitor, "ArrowRight " * 7 + "End ArrowDown " * 5 + "ArrowDown ArrowDown Space")
    visitor.sees("7")
    keys.press("Backspace")
    expect(visitor.page.locator("#waiting")).to_be_visible()
    _press(visitor, "Space ArrowUp Escape")
    expect(visitor.page.locator("#clear")).to_be_disabled()


def test_a_screen_reader_is_told_which_keys_draw(visit: Visit, running_app: RunningApp) -> None:
    """By the browser itself, before anybody opened the notes."""
    page = visit(running_app).page
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    (pad,) = [node for node in tree if node["role"]["value"] == "application"]
    assert "Space sets it down and lifts it. Backspace takes" in " ".join(pad["description"]["value"].split())


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit: Visit, running_app: RunningApp) -> None:
    """Each stop of the Tab key has a visible outline, and an example can be asked with Enter."""
    visitor = visit(running_app)
    visitor.draw("1")
    visitor.sees("1")
    for name in ("#pad", "#undo", "#clear", "#choose", ".example[data-label='0']"):
        target = visitor.page.locator(name)
        _tab_to(visitor, target)
        assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid", name
    visitor.page.keyboard.press("Enter")
    visitor.sees("0")


def test_undo_takes_the_last_stroke_back(visit: Visit, running_app: RunningApp) -> None:
    """Without its last stroke, a drawing is asked anew; without any, the desk is empty."""
    visitor = visit(running_app)
    ranks, clock = visitor.page.locator("#ranks"), visitor.page.clock
    # The page asks when the clock says so: what is answered is a whole stroke, and not a part of it.
    clock.install()
    visitor.page.reload()
    clock.pause_at("2100-01-01")
    visitor.draw("1")
    clock.run_for(100)
    visitor.sees("1")
    before = ranks.inner_text()
    clock.resume()
    visitor.stroke([(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)])
    expect(ranks).not_to_have_text(before, use_inner_text=True)
    visitor.page.locator("#undo").click()
    expect(ranks).to_have_text(before, use_inner_text=True)
    visitor.page.keyboard.press("Control+z")
    expect(visitor.page.locator("#result")).to_be_hidden()


def test_one_request_at_a_time_and_the_newest_drawing_wins(visit: Visit, running_app: RunningApp) -> None:
    """While an answer is awaited nothing else is asked; then only what is drawn by now."""
    visitor = visit(running_app)
    asked: list[Route] = []

    def hold_first(route: Route) -> None:
        asked.append(route)
        if len(asked) > 1:
            route.continue_()

    clock = visitor.page.clock
    clock.install()
    visitor.page.reload()
    clock.pause_at("2100-01-01")
    visitor.page.route("**/v1/predict*", hold_first)
    with visitor.page.expect_request("**/v1/predict*"):
        visitor.stroke(DIGITS["4"][0])
        clock.run_for(1_000)
    visitor.stroke(DIGITS["4"][1])
    clock.run_for(1_000)
    visitor.waits_for_a_picture()
    assert len(asked) == 1
    asked[0].continue_()
    visitor.sees("4")
    assert len(asked) == 2


def test_a_screen_reader_is_told_once_the_hand_rests(visit: Visit, running_app: RunningApp) -> None:
    """Strokes in quick order are one announcement, not one each."""
    visitor = visit(running_app)
    clock = visitor.page.clock
    clock.install()
    visitor.page.reload()
    clock.pause_at("2100-01-01")
    spoken = visitor.page.locator("#spoken")
    for stroke in DIGITS["4"]:
        with visitor.page.expect_response("**/v1/predict*"):
            visitor.stroke(stroke)
            clock.run_for(100)
        expect(visitor.page.locator("#result")).to_be_visible()
        expect(spoken).to_be_empty()
    expect(visitor.page.locator("#best")).to_have_text("4")
    clock.run_for(1_000)
    expect(spoken).to_contain_text("4: ")


def _press(visitor: Visitor, keys: str) -> None:
    for key in keys.split():
        visitor.page.keyboard.press(key)


def _tab_to(visitor: Visitor, target: Locator) -> None:
    for _ in range(30):
        visitor.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"30 times Tab did not reach {target}")
