"""Answers to a registry that asks who is there: nobody, Basic, or a Bearer token from the server that it names.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import re
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

import httpx

from nocturne.adapters.oci_registry.retry import Transient
from nocturne.domain.errors import Broken

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
# "If omitted, this defaults to 60 seconds"; a token is renewed a little before its end.
_DEFAULT_LIFETIME = 60.0
_MARGIN = 5.0


@dataclass(frozen=True)
class Credentials:
    """Who we are to a registry. The password never shows in a log."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> httpx.BasicAuth:
        """As HTTP sends them."""
        return httpx.BasicAuth(self.username, self.password)


@dataclass(frozen=True)
class Challenge:
    """What a `WWW-Authenticate` header asks for. scheme: `basic` or `bearer`; parameters: realm, service and scope."""

    scheme: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Token:
    value: str = field(repr=False)
    expires: float
    challenge: Challenge


class Authorization:
    """The headers that open a registry to us. Tokens are kept for each repository until they expire."""

    def __init__(
        self,
        client: httpx.Client,
        origin: httpx.URL,
        credentials: Credentials | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._origin = origin
        self._credentials = credentials
        self._monotonic = monotonic
        self._basic = False
        self._tokens: dict[str, _Token] = {}

    def auth(self, url: httpx.URL, repository: str) -> httpx.Auth | None:
        """What goes with a request; nothing for another host than the registry's, which an upload may be sent to."""
        if (url.scheme, url.host, url.port) != (self._origin.scheme, self._origin.host, self._origin.port):
            return None
        if self._basic and self._credentials:
            return self._credentials.basic
        token = self._tokens.get(repository)
        if token is None:
            return None
        if self._monotonic() >= token.expires:
            # Renewed beforehand: an upload that is refused at its end would have to send everything twice.
            token = self._tokens[repository] = self._fetch(token.challenge)
        return _Bearer(token.value)

    def answer(self, headers: Iterable[str], repository: str) -> None:
        """Get what a 401 asked for, so that the same request can be sent again. Raises Broken when we cannot."""
        challenges = {challenge.scheme: challenge for challenge in map(parse_challenge, headers)}
        if "bearer" in challenges:
            self._tokens[repository] = self._fetch(challenges["bearer"])
        elif "basic" in challenges and self._credentials:
            self._basic = True
        elif "basic" in challenges:
            raise Broken(
                f"the registry at {self._origin} asks for a user and a password, and none is configured",
                advice="add them to the registry's connection",
            )
        else:
            found = ", ".join(challenges) or "nothing"
            raise Broken(f"the registry at {self._origin} asks for {found} to log in, expected Basic or Bearer")

    def _fetch(self, challenge: Challenge) -> _Token:
        realm = httpx.URL(challenge.parameters.get("realm", ""))
        self._check_realm(realm)
        asked = challenge.parameters
        query: dict[str, str | list[str]] = {"scope": asked.get("scope", "").split()}
        query |= {"service": asked["service"]} if "service" in asked else {}
        auth = self._credentials.basic if self._credentials else None
        try:
            response = self._client.get(realm, params=realm.params.merge(query), auth=auth)
        except httpx.TransportError as error:
            raise Transient(f"the registry's token server {realm} cannot be reached: {error or type(error).__name__}") from error
        self._check_answer(realm, response)
        return self._read_token(realm, response, challenge)

    def _check_realm(self, realm: httpx.URL) -> None:
        if not realm.host:
            raise Broken(f"the registry at {self._origin} asks for a token without saying where to get it (no realm)")
        if self._credentials and self._origin.scheme == "https" and realm.scheme != "https":
            raise Broken(
                f"the registry at {self._origin} sends us to {realm} for a token: the password would go there in the clear",
                advice="have the registry name an https address as its realm",
            )

    def _check_answer(self, realm: httpx.URL, response: httpx.Response) -> None:
        if response.status_code in (401, 403):
            who = f"the user {self._credentials.username!r}" if self._credentials else "us, who have no password"
            raise Broken(f"the token server {realm} refuses {who}", advice="check the registry's connection")
        if response.status_code == 429 or response.status_code >= 500:
            raise Transient(f"the token server {realm} answers {response.status_code}, expected 200")
        if response.status_code != 200:
            raise Broken(f"the token server {realm} answers {response.status_code}, expected 200")

    def _read_token(self, realm: httpx.URL, response: httpx.Response, challenge: Challenge) -> _Token:
        try:
            answer = response.json()
            value = answer.get("token") or answer["access_token"]
            lifetime = float(answer.get("expires_in") or _DEFAULT_LIFETIME)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise Broken(f"the token server {realm} answers without a token") from error
        return _Token(value, self._monotonic() + max(lifetime - _MARGIN, 0), challenge)


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def parse_challenge(header: str) -> Challenge:
    """Read one `WWW-Authenticate` header (RFC 9110, section 11.6.1)."""
    scheme, _, rest = header.strip().partition(" ")
    return Challenge(scheme.lower(), dict(_PARAMETER.findall(rest)))
