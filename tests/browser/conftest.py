"""A real browser, visitors who look at the running app with it, and axe-core."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from nocturne.sandbox import Settings, debian
from nocturne.sandbox.programs import Programs
from tests.app.conftest import FOLDER, Golden, app_environment, demo_model, golden, running_app, start_app
from tests.app.running_app import RunningApp
from tests.browser.axe import axe_script
from tests.browser.visitor import Visitor
from tests.conftest import installing

__all__ = ["Golden", "app_environment", "demo_model", "golden", "running_app", "start_app"]

CHROMIUM = debian.Program("chromium", "chromium", "the browser that the app's page is tested in")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 30_000

Visit = Callable[..., Visitor]
"""`visit(app, color_scheme="dark", ...)`: a visitor of an app; the keywords are those of `Browser.new_context`."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium: Playwright's is a download that not every machine may make.

    For one file at a time: while it runs, so does Playwright's event loop, and no other test here could start one.
    """
    with installing():
        if lacking := debian.missing([CHROMIUM]):
            debian.install(lacking, Programs(FOLDER / "logs"))
    program = shutil.which(CHROMIUM.name)
    assert program
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens the page; at the end no visitor may have had a reason to complain."""
    visitors: list[Visitor] = []

    def start(app: RunningApp, **options: object) -> Visitor:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        visitors.append(Visitor(context.new_page(), app.url))
        return visitors[-1].open()

    yield start
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        visitor.page.context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script."""
    return axe_script(Settings.from_environment({}).tools, Programs(FOLDER / "logs"))
