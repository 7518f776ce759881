"""Somebody at the app's page, in Chromium, and all that the browser had to complain of."""

from dataclasses import dataclass, field

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.strokes import DIGITS, Stroke

FAILED_REQUEST = "Failed to load resource"


@dataclass
class Visitor:
    """A page that is open. url: of the app, without a slash at the end. complaints: errors of scripts or policy, other hosts."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self) -> "Visitor":
        """Watch what happens, and go to the page."""
        self.page.on("console", lambda said: self._complain(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("request", lambda request: self._check_host(request.url))
        self.page.goto(f"{self.url}/")
        return self

    def draw(self, label: str) -> None:
        """Draw a digit with the mouse."""
        for stroke in DIGITS[label]:
            self.stroke(stroke)

    def stroke(self, points: Stroke) -> None:
        """Draw one line with the mouse."""
        places = self.places(points)
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=2)
        self.page.mouse.up()

    def places(self, points: Stroke) -> Stroke:
        """Where points of the pad are on the screen."""
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]

    def choose(self, content: bytes, name: str, media_type: str) -> None:
        """Choose a file, as in the browser's own dialog."""
        self.page.locator("#file").set_input_files(FilePayload(name=name, mimeType=media_type, buffer=content))

    def sees(self, label: str) -> None:
        """The page's answer becomes this one, and no trouble is left."""
        expect(self.page.locator("#best")).to_have_text(label)
        expect(self.page.locator("#notice")).to_be_hidden()

    def sees_trouble(self, *words: str) -> None:
        """The page tells of trouble in such words."""
        for word in words:
            expect(self.page.locator("#notice")).to_contain_text(word)

    def waits_for_a_picture(self) -> None:
        """As long as the page needs to make one of what is drawn: what it was about to ask it has asked then."""
        self.page.evaluate("() => new Promise((done) => document.createElement('canvas').toBlob(done))")

    def _complain(self, text: str) -> None:
        # A refusal is the server's right; that the page tells it well is what tests look at.
        if not text.startswith(FAILED_REQUEST):
            self.complaints.append(text)

    def _check_host(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "data:", f"blob:{self.url}/")):
            self.complaints.append(f"asked another host: {url}")
