"""Who may read the requests that an app keeps."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from nocturne.composition.samples import samples_client
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection


class _App(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Send elsewhere, or answer with what was sent as authorization."""
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/samples")
        self.end_headers()
        self.wfile.write(str(self.headers.get("Authorization")).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """An app that answers with the header it was sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _App) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def connection(**extra: object) -> Connection:
    return Connection("nocturne_sandbox", extra=extra)


def test_the_token_is_sent(url: str) -> None:
    """The app gets the connection's token as a bearer token, and nobody else does where the app sends us elsewhere."""
    client = samples_client(connection(samples_token="sesame-open-yourself"), lambda: url)
    assert client
    assert client.get("/samples").body == "Bearer sesame-open-yourself"
    assert client.get("/moved").status == 302


@pytest.mark.parametrize("extra", [{}, {"samples_token": ""}, {"samples_token": None}])
def test_without_a_token_nobody_is_asked(extra: dict[str, object]) -> None:
    """There is no client, and the address is not looked for."""

    def url() -> str:
        raise AssertionError

    assert samples_client(connection(**extra), url) is None


@pytest.mark.parametrize("token", ["sesame\nopen", "sesame ä", "ses ame", 7])
def test_a_token_that_cannot_be_sent(token: object) -> None:
    """It is a fault of the connection, told without the token."""
    with pytest.raises(ConfigurationError, match=r"extra\.samples_token: found") as caught:
        samples_client(connection(samples_token=token), lambda: "http://nowhere")
    assert "sesame" not in str(caught.value)
