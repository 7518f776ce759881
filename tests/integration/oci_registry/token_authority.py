"""A token server that knows rights: who may do what to which repository, for how long, and Azure's way of signing in.

Signs with RS256 and a `kid` as Docker Hub's does, which Debian's registry looks up among the keys that it trusts.
Source: https://distribution.github.io/distribution/spec/auth/jwt/ and https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.certificates import self_signed
from tests.serving import serving

ISSUER, SERVICE = "authority.tests", "registry.tests"
NULL_GUID = "00000000-0000-0000-0000-000000000000"
# What Debian's registry adds to the end of a token's life.
_LEEWAY = 60
_REFRESH_SECONDS = 3600

Form = dict[str, list[str]]


@dataclass
class TokenAuthority:
    """logins: user to password. rights: user to repository to actions; the user "" is anybody, who gets no token without rights;
    the repository "*" is any.

    seconds: how long the registry takes a token. told: how long we say it does, None to leave it to the token itself.
    entra: the Entra ID tokens that are exchanged for a refresh token.
    scopes: what was asked for, in order. exchanges: how often a refresh token was given. basics: how often a password came.
    """

    url: str
    key: rsa.RSAPrivateKey
    logins: dict[str, str] = field(default_factory=dict)
    rights: dict[str, dict[str, str]] = field(default_factory=dict)
    seconds: int = 300
    told: int | None = 300
    entra: dict[str, str] = field(default_factory=dict)
    scopes: list[list[str]] = field(default_factory=list)
    exchanges: int = 0
    basics: int = 0

    def by_password(self, query: Form, authorization: str) -> tuple[int, dict[str, Any]]:
        """`GET`, as the token specification has it."""
        user = ""
        if authorization:
            self.basics += 1
            user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            if user == NULL_GUID:
                return self.by_refresh_token(query | {"refresh_token": [password]})
            if self.logins.get(user) != password:
                return 401, {"details": "incorrect username or password"}
        elif "" not in self.rights:
            return 401, {"details": "authentication required"}
        return self._token(user, query, "token")

    def by_refresh_token(self, form: Form) -> tuple[int, dict[str, Any]]:
        """`POST /oauth2/token`."""
        try:
            key = self.key.public_key()
            claims = jwt.decode(
                form["refresh_token"][0], key, algorithms=["RS256"], audience=SERVICE, options={"verify_iat": False}
            )
        except jwt.InvalidTokenError as error:
            return 400, {"error": "invalid_grant", "error_description": str(error)}
        return self._token(claims["sub"], form, "access_token")

    def exchange(self, form: Form) -> tuple[int, dict[str, Any]]:
        """`POST /oauth2/exchange`."""
        user = self.entra.get(form["access_token"][0])
        if (form["grant_type"], form["service"]) != (["access_token"], [SERVICE]) or user is None:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        self.exchanges += 1
        now = int(time.time())
        claims = {"sub": user, "aud": SERVICE, "iat": now, "exp": now + _REFRESH_SECONDS, "grant_type": "refresh_token"}
        return 200, {"refresh_token": jwt.encode(claims, self.key, algorithm="RS256")}

    def _token(self, user: str, asked: Form, name: str) -> tuple[int, dict[str, Any]]:
        scopes = [item for text in asked.get("scope", []) for item in text.split()]
        self.scopes.append(scopes)
        now = int(time.time())
        times = {"nbf": now - 300, "iat": now, "exp": now + self.seconds - _LEEWAY}
        access = [granted for scope in scopes if (granted := self._granted(user, scope))]
        claims = {"iss": ISSUER, "sub": user, "aud": asked["service"][0], "jti": "1", "access": access} | times
        token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": _key_id(self.key)})
        return 200, {name: token} | ({"expires_in": self.told} if self.told else {})

    def _granted(self, user: str, scope: str) -> dict[str, Any] | None:
        kind, repository, actions = scope.split(":")
        rights = self.rights.get(user, {})
        allowed = rights.get(repository, rights.get("*", "")).split(",")
        granted = [action for action in actions.split(",") if action in allowed]
        return {"type": kind, "name": repository, "actions": granted} if granted else None


@contextmanager
def token_authority(folder: Path) -> Iterator[tuple[TokenAuthority, dict[str, Any]]]:
    """Run one; yields it with that part of the registry's configuration which names it."""
    key = rsa.generate_private_key(65537, 2048)
    bundle = folder / "authority.pem"
    bundle.write_bytes(self_signed(key, ISSUER).public_bytes(serialization.Encoding.PEM))
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    authority = TokenAuthority(f"http://localhost:{server.server_port}", key)
    server.RequestHandlerClass = _handler(authority)
    realm = f"{authority.url}/oauth2/token"
    with serving(server):
        yield authority, {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}}


def _handler(authority: TokenAuthority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._send(*authority.by_password(query, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            answer = authority.exchange if self.path == "/oauth2/exchange" else authority.by_refresh_token
            self._send(*answer(form))

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    return Handler


def _key_id(key: rsa.RSAPrivateKey) -> str:
    """240 bits of the public key's sha256 in base32, four letters a group, as libtrust has it."""
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(public).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))
