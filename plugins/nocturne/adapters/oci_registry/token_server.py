"""Tokens from the server that a registry names.

Source: https://distribution.github.io/distribution/spec/auth/token/ for user and password, or nobody;
https://distribution.github.io/distribution/spec/auth/oauth/ for a refresh token.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from nocturne.adapters.oci_registry.credentials import Credentials
from nocturne.adapters.oci_registry.retry import Transient
from nocturne.adapters.oci_registry.scope import Scope, parse_access
from nocturne.domain.errors import Broken

# "If omitted, this defaults to 60 seconds".
_DEFAULT_LIFETIME = 60.0
_CLIENT = "nocturne"


@dataclass(frozen=True)
class Token:
    """What opens a registry for `lifetime` seconds. granted: what it allows, None when it does not tell."""

    value: str = field(repr=False)
    lifetime: float
    granted: Scope | None


def fetch_token(client: httpx.Client, realm: httpx.URL, service: str, scope: Scope, credentials: Credentials | None) -> Token:
    """A token from the server at `realm`. Raises Transient when it is away, Broken when it refuses."""
    request = _request(client, realm, {"service": service} if service else {}, scope, credentials)
    auth = credentials.basic if credentials and not credentials.refresh_token else None
    try:
        response = client.send(request, auth=auth)
    except httpx.TransportError as error:
        raise Transient(f"the registry's token server {realm} cannot be reached: {error or type(error).__name__}") from error
    _check(realm, response, scope, credentials)
    return _read(realm, response)


def _request(
    client: httpx.Client, realm: httpx.URL, query: dict[str, Any], scope: Scope, credentials: Credentials | None
) -> httpx.Request:
    if credentials is None or not credentials.refresh_token:
        return client.build_request("GET", realm, params=realm.params.merge({"scope": scope.items()} | query))
    form = {"grant_type": "refresh_token", "client_id": _CLIENT, "scope": " ".join(scope.items())} | query
    return client.build_request("POST", realm, data=form | {"refresh_token": credentials.password})


def _check(realm: httpx.URL, response: httpx.Response, scope: Scope, credentials: Credentials | None) -> None:
    if response.status_code == 200:
        return
    said = f": {text}" if (text := _said(response)) else ""
    # OAuth2 answers 400 to a grant that it does not accept (RFC 6749, section 5.2).
    if response.status_code in (401, 403) or (response.status_code == 400 and credentials and credentials.refresh_token):
        who = f"the user {credentials.username!r}" if credentials else "us, who have no password"
        raise Broken(
            f"the token server {realm} refuses {who} who asks to {scope}{said}",
            advice="check user and password in the registry's connection, and that this user has these rights",
        )
    message = f"the token server {realm} answers {response.status_code}, expected 200{said}"
    if response.status_code == 429 or response.status_code >= 500:
        raise Transient(message)
    raise Broken(message)


def _said(response: httpx.Response) -> str:
    """The reason in the answer: registries write `errors`, OAuth2 servers `error_description`, Docker Hub `details`."""
    try:
        answer = response.json()
        faults = [f"{fault.get('code', '')} {fault.get('message', '')}".strip() for fault in answer.get("errors", [])]
        texts = [str(answer[key]) for key in ("error", "error_description", "details", "message") if answer.get(key)]
        return "; ".join(filter(None, faults + texts))[:300]
    except (ValueError, TypeError, AttributeError):
        return ""


def _read(realm: httpx.URL, response: httpx.Response) -> Token:
    try:
        answer = response.json()
        value = str(answer.get("token") or answer["access_token"])
        claims = _claims(value)
        lifetime = float(answer.get("expires_in") or _lifetime(claims))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Broken(f"the token server {realm} answers without a token") from error
    return Token(value, lifetime, parse_access(claims["access"]) if "access" in claims else None)


def _lifetime(claims: dict[str, Any]) -> float:
    """Azure says it in the token alone. By the server's own clock: ours may go differently."""
    issued = claims.get("iat", claims.get("nbf"))
    return float(claims["exp"]) - float(issued) if "exp" in claims and issued is not None else _DEFAULT_LIFETIME


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself; nothing for any other token. It is the registry's to verify, not ours."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
