import http.server
import ssl
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from nocturne.adapters.oci_registry.tls_on_demand import TlsOnDemand


@pytest.fixture
def foreign(tmp_path: Path) -> str:
    """The address of a server whose certificate nobody has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(words, check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://localhost:{server.server_port}/"


def test_a_certificate_that_nobody_signed_is_refused(foreign: str) -> None:
    """Loaded late, certificates are verified all the same."""
    with httpx.Client(mounts={"https://": TlsOnDemand()}) as client, pytest.raises(httpx.ConnectError, match="certificate"):
        client.get(foreign)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Making and closing one loads no certificates."""
    transport = TlsOnDemand()
    transport.close()
    assert "_transport" not in vars(transport)
