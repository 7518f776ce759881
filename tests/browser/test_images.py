"""Images from elsewhere on the page: chosen, dropped, pasted, or examples; and what is refused."""

import base64
import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from tests.app.conftest import Golden, StartApp
from tests.app.running_app import RunningApp
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

GIVE = """([kind, names, content, type]) => {
  const transfer = new DataTransfer();
  for (const name of names) {
    transfer.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name, { type }));
  }
  const event = kind === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
  document.body.dispatchEvent(event);
}"""


RECORD = """() => {
  const really = window.fetch;
  window.fetch = async (address, options) => {
    if (options?.body) window.sent = [options.headers["Content-Type"], [...new Uint8Array(await options.body.arrayBuffer())]];
    return really(address, options);
  };
}"""


def _give(visitor: Visitor, kind: str, names: list[str], content: bytes, media_type: str) -> None:
    visitor.page.evaluate(GIVE, [kind, names, base64.b64encode(content).decode(), media_type])


def test_a_chosen_image_is_sent_as_it_is(visit: Visit, running_app: RunningApp, golden: list[Golden]) -> None:
    """The file's own bytes are sent, with its type, and the page shows the picture and its answer."""
    visitor = visit(running_app)
    # The browser's own record of requests leaves out the bytes of files.
    visitor.page.evaluate(RECORD)
    visitor.choose(golden[0].image, "five.png", "image/png")
    visitor.sees(golden[0].label)
    assert visitor.page.evaluate("window.sent") == ["image/png", list(golden[0].image)]
    expect(visitor.page.locator("#preview")).to_be_visible()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_an_image_can_be_dropped_and_pasted(visit: Visit, running_app: RunningApp, golden: list[Golden], kind: str) -> None:
    """Anywhere on the page."""
    visitor = visit(running_app)
    _give(visitor, kind, ["nine.png"], golden[1].image, "image/png")
    visitor.sees(golden[1].label)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_of_several_files_none_is_taken(visit: Visit, running_app: RunningApp, golden: list[Golden], kind: str) -> None:
    """Nobody has to guess which of them was answered."""
    visitor = visit(running_app)
    _give(visitor, kind, ["one.png", "two.png", "three.png"], golden[0].image, "image/png")
    visitor.sees_trouble("3 files", "one at a time")
    expect(visitor.page.locator("#result")).to_be_hidden()


def test_a_file_that_was_changed_before_it_could_be_sent_is_told(
    visit: Visit, start_app: StartApp, golden: list[Golden], tmp_path: Path
) -> None:
    """Browsers do not read it then: that is no trouble of the server, and is not tried for ever."""
    file = tmp_path / "five.png"
    file.write_bytes(golden[0].image)
    with start_app() as app:
        visitor = visit(app)
        visitor.page.context.set_offline(True)
        visitor.page.locator("#file").set_input_files(file)
        visitor.sees_trouble("You are offline")
        file.write_bytes(golden[1].image + b"more")
        visitor.page.context.set_offline(False)
        visitor.sees_trouble("This file cannot be read")
        expect(visitor.page.locator("#again")).to_be_hidden()


def test_an_example_is_answered_with_what_it_shows(visit: Visit, running_app: RunningApp) -> None:
    """One click on an example brings its answer; drawing afterwards begins anew."""
    visitor = visit(running_app)
    for label in ("8", "2"):
        visitor.page.get_by_role("button", name=f"Example of {label}").click()
        visitor.sees(label)
    visitor.draw("7")
    visitor.sees("7")
    expect(visitor.page.locator("#preview")).to_be_hidden()


@pytest.mark.parametrize("kind", ["choose", "drop", "paste"])
def test_a_text_file_is_refused_and_nothing_is_lost(visit: Visit, running_app: RunningApp, kind: str) -> None:
    """The page says what was found and what to do, and what was drawn is still there."""
    visitor = visit(running_app)
    visitor.draw("3")
    visitor.sees("3")
    if kind == "choose":
        visitor.choose(b"hello", "notes.txt", "text/plain")
    else:
        _give(visitor, kind, ["notes.txt"], b"hello", "text/plain")
    visitor.sees_trouble("notes.txt", "text/plain", "PNG")
    expect(visitor.page.locator("#best")).to_have_text("3")
    visitor.draw("3")
    expect(visitor.page.locator("#notice")).to_be_hidden()


def test_a_file_that_only_says_it_is_an_image_is_refused_by_the_server(visit: Visit, running_app: RunningApp) -> None:
    """The server's own words are shown, and no answer to something else stays beside them."""
    visitor = visit(running_app)
    visitor.draw("3")
    visitor.sees("3")
    visitor.choose(b"no image at all", "photo.png", "image/png")
    visitor.sees_trouble("The server could not read this image.", "no image")
    expect(visitor.page.locator("#result")).to_be_hidden()


def test_what_is_too_large_is_refused_before_it_is_sent(visit: Visit, start_app: StartApp) -> None:
    """The page knows the server's limit on bytes; that on pixels the server tells."""
    with start_app(settings={"MAX_BODY_BYTES": "100000", "MAX_PIXELS": "100"}) as app:
        visitor = visit(app)
        visitor.choose(bytes(200_000), "large.png", "image/png")
        visitor.sees_trouble("large.png", "0.2 MB", "0.1 MB at most")
        visitor.draw("1")
        visitor.sees_trouble("too large for the server", "100")


def test_a_model_that_cannot_be_drawn_for_takes_images_only(
    visit: Visit, start_app: StartApp, demo_model: Path, golden: list[Golden], tmp_path: Path
) -> None:
    """Without `draw` in its card there is no canvas, and a chosen image is answered all the same."""
    model = tmp_path / "photographs"
    shutil.copytree(demo_model, model)
    card = json.loads((model / "model.json").read_text())
    labels = [f"n0{number} a kind of {number}, or another name of it" for number in card["labels"]]
    (model / "model.json").write_text(json.dumps(card | {"draw": False, "labels": labels, "name": "photographs"}))
    with start_app(model=model) as app:
        visitor = visit(app)
        assert visitor.page.locator("canvas").count() == 0
        with visitor.page.expect_file_chooser() as chooser:
            visitor.page.locator("#pad").click()
        chooser.value.set_files(FilePayload(name="x.png", mimeType="image/png", buffer=golden[0].image))
        visitor.sees(labels[int(golden[0].label)])
