"""The page and the reference with other models than the demo: few labels or a thousand, short or long ones."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Golden, StartApp
from tests.browser.axe import faults
from tests.browser.conftest import Visit
from tests.browser.models import write_model

LONG = [
    f"n{number:08d} a kind of thing, or another name of it, {'very ' * (number % 7)}long, Felis catus" for number in range(1000)
]


def test_a_model_with_two_labels_is_answered_with_both(visit: Visit, start_app: StartApp, tmp_path: Path) -> None:
    """Fewer labels than the three that are usual are no error."""
    with start_app(model=write_model(tmp_path / "two", ["cat", "dog"], draw=True)) as app:
        visitor = visit(app)
        visitor.draw("1")
        expect(visitor.page.locator("#ranks li")).to_have_count(2)
        expect(visitor.page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 760])
@pytest.mark.parametrize("labels", [["WWW", "dog", "cow"], ["猫", "犬", "鳥"]], ids=["words", "signs"])
def test_bars_have_room_beside_any_label(visit: Visit, start_app: StartApp, tmp_path: Path, labels: list[str], width: int) -> None:
    """A label takes no room from its bars, and its probability stands on one line."""
    with start_app(model=write_model(tmp_path / "three", labels, draw=True)) as app:
        visitor = visit(app, viewport={"width": width, "height": 800})
        visitor.draw("1")
        expect(visitor.page.locator("#ranks li")).to_have_count(3)
        page = visitor.page
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator(".bar").first.evaluate("bar => bar.clientWidth") >= 32
        assert page.locator(".rank-percent").evaluate_all("all => all.every((it) => it.clientHeight < 30)")


@pytest.mark.parametrize("width", [320, 1440])
def test_a_thousand_long_labels_fit(
    visit: Visit, start_app: StartApp, tmp_path: Path, golden: list[Golden], axe: str, width: int
) -> None:
    """With an image in the pad's place the page and the reference are no wider than the screen, and axe finds nothing serious."""
    with start_app(model=write_model(tmp_path / "many", LONG, draw=False)) as app:
        page = visit(app, viewport={"width": width, "height": 800}, reduced_motion="reduce").page
        page.locator("#file").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": golden[0].image})
        expect(page.locator("#ranks li")).to_have_count(3)
        expect(page.locator("#preview")).to_be_visible()
        assert faults(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.goto(f"{app.url}/docs")
        assert faults(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.content().count("Felis catus") < 200
