"""How the page looks to everybody: light and dark, narrow and wide, with settings for eyes that need them."""

import pytest
from playwright.sync_api import expect

from tests.app.running_app import RunningApp
from tests.browser.axe import faults
from tests.browser.conftest import Visit

WIDTHS = [320, 390, 768, 1440]


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, running_app: RunningApp, axe: str, scheme: str, width: int) -> None:
    """Empty, with an answer and with an error: nothing serious or critical in any colour scheme or width."""
    visitor = visit(running_app, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    expect(visitor.page.locator("#release-id")).to_have_text("not a release")
    assert faults(visitor.page, axe) == []
    visitor.page.locator("summary").click()
    visitor.draw("5")
    visitor.sees("5")
    assert faults(visitor.page, axe) == []
    visitor.choose(b"hello", "notes.txt", "text/plain")
    visitor.sees_trouble("notes.txt")
    assert faults(visitor.page, axe) == []


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_reference(
    visit: Visit, running_app: RunningApp, axe: str, scheme: str, width: int
) -> None:
    """The reference is for everybody, too, and no wider than the screen."""
    page = visit(running_app, color_scheme=scheme, viewport={"width": width, "height": 800}).page
    page.goto(f"{running_app.url}/docs")
    assert faults(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(visit: Visit, running_app: RunningApp, width: int) -> None:
    """No width makes the page scroll sideways, with an answer shown."""
    visitor = visit(running_app, viewport={"width": width, "height": 900})
    visitor.page.locator(".example").first.click()
    visitor.sees("0")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "height"), [(568, 320), (667, 375), (844, 390)])
def test_a_phone_on_its_side_shows_pad_and_answer(visit: Visit, running_app: RunningApp, width: int, height: int) -> None:
    """Beside each other, without scrolling; what was drawn before it was turned is still there."""
    visitor = visit(running_app, viewport={"width": height, "height": width}, has_touch=True, is_mobile=True)
    visitor.draw("5")
    visitor.sees("5")
    visitor.page.set_viewport_size({"width": width, "height": height})
    for part in ("#pad", "#best", "#ranks"):
        expect(visitor.page.locator(part)).to_be_in_viewport(ratio=1)
    expect(visitor.page.locator("#undo")).to_be_enabled()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == width


def test_dark_mode_follows_the_system(visit: Visit, running_app: RunningApp) -> None:
    """A reader whose system is dark gets light text on a dark page; the pad is black for both."""
    looks = [
        visit(running_app, color_scheme=scheme).page.evaluate(
            "[document.body, document.getElementById('pad')].map((it) => getComputedStyle(it).backgroundColor)"
        )
        for scheme in ("light", "dark")
    ]
    assert looks == [["rgb(246, 246, 243)", "rgb(0, 0, 0)"], ["rgb(17, 19, 23)", "rgb(0, 0, 0)"]]


def test_who_wants_no_motion_sees_none(visit: Visit, running_app: RunningApp) -> None:
    """With reduced motion bars do not slide."""
    visitor = visit(running_app, reduced_motion="reduce")
    visitor.draw("1")
    visitor.sees("1")
    assert visitor.page.locator(".bar i").first.evaluate("bar => getComputedStyle(bar).transitionProperty") == "none"


def test_forced_colours_keep_the_bars(visit: Visit, running_app: RunningApp) -> None:
    """Where the system replaces all colours, a bar still stands out from its ground."""
    visitor = visit(running_app, forced_colors="active")
    visitor.draw("1")
    visitor.sees("1")
    bar, ground = visitor.page.locator(".bar").first.evaluate(
        "it => [it.firstChild, document.body].map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert bar != ground
