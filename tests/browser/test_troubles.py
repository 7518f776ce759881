"""What the page does while the server cannot answer, and how it follows the release that does."""

import json
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.app.conftest import StartApp
from tests.app.running_app import RunningApp
from tests.browser.conftest import Visit

RELEASE = {
    "release": "r-20260101-0200",
    "commit": "9f86d081884c7d659a2feaa0",
    "tree": "t",
    "model_version": "7",
    "model_digest": "d",
}

SLOW_PICTURES = """() => {
  const really = window.fetch;
  const delivered = new Promise((resolve) => { window.deliver = resolve; });
  window.fetch = async (address, options) => {
    if (String(address).includes("example")) await delivered;
    return really(address, options);
  };
}"""

COUNT_WORDS = """() => {
  window.written = 0;
  const count = () => { window.written += 1; };
  const text = document.getElementById("notice-text");
  new MutationObserver(count).observe(text, { childList: true, characterData: true, subtree: true });
}"""


def test_offline_nothing_is_lost(visit: Visit, running_app: RunningApp) -> None:
    """What was drawn without a connection is answered once there is one again, without anybody's doing."""
    visitor = visit(running_app)
    visitor.page.context.set_offline(True)
    visitor.draw("8")
    visitor.sees_trouble("You are offline", "Nothing is lost")
    visitor.page.context.set_offline(False)
    visitor.sees("8")


def test_an_example_that_was_chosen_offline_is_answered_later(visit: Visit, running_app: RunningApp) -> None:
    """Its picture is there already: it waits for the connection like everything else."""
    visitor = visit(running_app)
    visitor.page.context.set_offline(True)
    visitor.page.locator(".example[data-label='6']").click()
    visitor.sees_trouble("You are offline")
    expect(visitor.page.locator("#preview")).to_be_visible()
    visitor.page.context.set_offline(False)
    visitor.sees("6")


def test_a_slow_example_does_not_wipe_out_a_drawing(visit: Visit, running_app: RunningApp) -> None:
    """Whoever begins to draw while an example is on its way goes on drawing."""
    visitor = visit(running_app)
    visitor.page.evaluate(SLOW_PICTURES)
    visitor.page.locator(".example[data-label='6']").click()
    visitor.draw("4")
    visitor.page.evaluate("window.deliver()")
    visitor.sees("4")
    expect(visitor.page.locator("#preview")).to_be_hidden()
    expect(visitor.page.locator("#undo")).to_be_enabled()


def test_trouble_that_goes_on_is_read_out_once(visit: Visit, running_app: RunningApp) -> None:
    """Each try that fails says the same, which a screen reader would read out each time it is written."""
    visitor = visit(running_app)
    visitor.page.evaluate(COUNT_WORDS)
    visitor.page.context.set_offline(True)
    visitor.draw("1")
    visitor.sees_trouble("You are offline")
    for _ in range(2):
        with visitor.page.expect_event("requestfailed"):
            visitor.page.locator("#again").click()
    assert visitor.page.evaluate("window.written") == 1


def test_who_draws_on_does_not_hurry_a_busy_server(visit: Visit, running_app: RunningApp) -> None:
    """It said when to ask again: until then nothing is sent, and then the newest drawing."""
    visitor = visit(running_app)
    asked = 0

    def refuse(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "600"}, body=json.dumps({"detail": "busy"}))

    visitor.page.clock.install()
    visitor.page.reload()
    visitor.page.route("**/v1/predict*", refuse)
    visitor.draw("4")
    visitor.page.clock.run_for(100)
    visitor.sees_trouble("asked again in 600 s")
    visitor.draw("4")
    visitor.page.clock.run_for(10_000)
    visitor.waits_for_a_picture()
    assert asked == 1
    visitor.page.clock.run_for(600_000)
    visitor.sees("4")


def test_a_busy_server_is_asked_again_by_itself(visit: Visit, running_app: RunningApp) -> None:
    """503 with Retry-After is told in plain words, and the same image is sent again after that time."""
    visitor = visit(running_app)
    busy = json.dumps({"detail": "16 requests wait already; send it again later"})
    answers = iter([{"status": 503, "headers": {"Retry-After": "1"}, "body": busy}])

    def refuse_once(route: Route) -> None:
        answer = next(answers, None)
        if answer is None:
            route.continue_()
        else:
            route.fulfill(**answer)  # type: ignore[arg-type]

    visitor.page.route("**/v1/predict*", refuse_once)
    visitor.page.locator(".example[data-label='6']").click()
    visitor.sees_trouble("asked again in 1 s", "16 requests wait already")
    visitor.sees("6")


def test_a_failure_of_the_server_is_told_without_its_html(visit: Visit, running_app: RunningApp) -> None:
    """What stands between may answer anything: the page shows the status, and never that answer's text."""
    visitor = visit(running_app)
    visitor.page.route("**/v1/predict*", lambda route: route.fulfill(status=500, content_type="text/html", body="<h1>nginx</h1>"))
    visitor.draw("1")
    visitor.sees_trouble("The server failed (500)")
    expect(visitor.page.locator("#notice")).not_to_contain_text("nginx")


def test_without_a_model_the_page_says_so(visit: Visit, start_app: StartApp, tmp_path: Path) -> None:
    """An unready server is told as such, and nothing is offered that cannot work."""
    with start_app(model=tmp_path, ready="/healthz") as app:
        visitor = visit(app)
        expect(visitor.page.get_by_text("no model yet, so it cannot answer")).to_be_visible()
        assert visitor.page.locator("canvas, input").count() == 0


def test_the_footer_says_which_release_answers(visit: Visit, start_app: StartApp, tmp_path: Path) -> None:
    """Release, commit (short, whole in its title), model and start are those of the running app."""
    (tmp_path / "release.json").write_text(json.dumps(RELEASE))
    with start_app(settings={"RELEASE_FILE": str(tmp_path / "release.json")}) as app:
        page = visit(app).page
        expect(page.locator("#release-id")).to_have_text("r-20260101-0200")
        expect(page.locator("#release-commit")).to_have_text("9f86d081884c…")
        expect(page.locator("#release-commit")).to_have_attribute("title", RELEASE["commit"])
        expect(page.locator("#release-model")).to_have_text("digits 7")
        expect(page.locator("#release-since time")).to_have_attribute("datetime", f"{_version(app)['since']}")


def test_the_footer_follows_a_new_release(visit: Visit, start_app: StartApp, tmp_path: Path) -> None:
    """When another release begins to answer, the open page says so with the next answer, and works on."""
    file = tmp_path / "release.json"
    file.write_text(json.dumps(RELEASE))
    with start_app(log=tmp_path / "first.log") as first:
        visitor = visit(first)
        expect(visitor.page.locator("#release-id")).to_have_text("not a release")
    with start_app(settings={"RELEASE_FILE": str(file)}) as second:
        visitor.page.route(f"{first.url}/**", lambda route: route.fulfill(response=route.fetch(url=_moved(route, first, second))))
        visitor.draw("0")
        visitor.sees("0")
        expect(visitor.page.locator("#release-id")).to_have_text("r-20260101-0200")
        # The page asks while it is drawn on: what is still under way would fail when the page is closed.
        visitor.page.unroute_all(behavior="ignoreErrors")


def _moved(route: Route, first: RunningApp, second: RunningApp) -> str:
    return route.request.url.replace(first.url, second.url)


def _version(app: RunningApp) -> dict[str, str]:
    connection = app.connect()
    connection.request("GET", "/version")
    told: dict[str, str] = json.loads(connection.getresponse().read())
    connection.close()
    return told
