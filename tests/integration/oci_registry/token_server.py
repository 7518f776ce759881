"""A token server as small as the specification allows, and the registry's configuration to believe it.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import base64
import datetime
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER, SERVICE = "tests", "registry.tests"


@contextmanager
def token_auth(folder: Path, user: str, password: str) -> Iterator[dict[str, Any]]:
    """Run a token server that lets `user` in; yields that part of the registry's configuration which names it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    bundle = folder / "tokens.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != f"Basic {login}":
                self.send_error(401)
                return
            query = parse_qs(urlsplit(self.path).query)
            token = jwt.encode(_claims(query), key, algorithm="ES256", headers={"x5c": chain})
            content = json.dumps({"token": token, "expires_in": 60}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        realm = f"http://localhost:{server.server_port}/token"
        yield {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _claims(query: dict[str, list[str]]) -> dict[str, Any]:
    access = []
    for scope in query.get("scope", []):
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    now = int(time.time())
    times = {"nbf": now - 5, "iat": now, "exp": now + 60}
    return {"iss": ISSUER, "sub": "tests", "aud": query["service"][0], "jti": "1", "access": access} | times


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
