from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from nocturne.adapters.oci_registry.connection import Connection
from nocturne.adapters.oci_registry.tls_on_demand import TlsOnDemand, tls_on_demand
from tests.certificates import tls_context
from tests.serving import serving


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose certificate nobody has signed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.socket = tls_context(tmp_path).wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"https://localhost:{server.server_port}/"


def test_a_certificate_that_nobody_signed_is_refused(foreign: str) -> None:
    """Loaded late, certificates are verified all the same."""
    with httpx.Client(mounts={"https://": TlsOnDemand()}) as client, pytest.raises(httpx.ConnectError, match="certificate"):
        client.get(foreign)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Making and closing one loads no certificates."""
    transport = TlsOnDemand()
    transport.close()
    assert "_transport" not in vars(transport)


class Proxy(BaseHTTPRequestHandler):
    """Answers every request itself."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Asked-For", self.path)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that reaches a registry only through its proxy does so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
    with serving(server), closing(Connection("http://registry.test", None, 5)) as connection:
        answer = connection.send("GET", "/v2/", repository="app", expect=(200,))
    assert answer.headers["X-Asked-For"] == "http://registry.test/v2/"


def test_certificates_wait_where_there_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a proxy https has a transport that loads them late; hosts that need no proxy make no difference."""
    for name in ("http", "https", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert isinstance(tls_on_demand()["mounts"]["https://"], TlsOnDemand)
