"""Answers to a registry that asks who is there: nobody, Basic, or a Bearer token from the server that it names.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

import httpx

from nocturne.adapters.oci_registry.challenge import Challenge, parse_challenges
from nocturne.adapters.oci_registry.credentials import Credentials, CredentialsNow
from nocturne.adapters.oci_registry.scope import Scope, parse_scope
from nocturne.adapters.oci_registry.token_server import Token, fetch_token
from nocturne.domain.errors import Broken

# Seconds before its end at which a token is renewed; half its life for those that live as short as that.
_MARGIN = 5.0


@dataclass(frozen=True)
class _Held:
    token: Token
    expires: float
    challenge: Challenge
    scope: Scope


class Authorization:
    """The headers that open a registry to us. Tokens are kept for each repository, with what they allow, until they expire."""

    def __init__(
        self,
        client: httpx.Client,
        origin: httpx.URL,
        credentials: Credentials | CredentialsNow | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._origin = origin
        self._credentials = credentials
        self._monotonic = monotonic
        self._basic = False
        self._held: dict[str, _Held] = {}
        self._announced: dict[str, Scope] = {}

    def auth(self, url: httpx.URL, repository: str) -> httpx.Auth | None:
        """What goes with a request; nothing for another host than the registry's, which an upload may be sent to."""
        if (url.scheme, url.host, url.port) != (self._origin.scheme, self._origin.host, self._origin.port):
            return None
        if self._basic and (credentials := self._current()):
            return credentials.basic
        held = self._held.get(repository)
        if held is None:
            return None
        if self._monotonic() >= held.expires:
            # Renewed beforehand: an upload that is refused at its end would have to send everything twice.
            held = self._held[repository] = self._fetch(held.challenge, held.scope)
        return _Bearer(held.token.value)

    def announce(self, repository: str, scope: Scope) -> None:
        """What requests about a repository are going to need: the next token for it will be asked to allow that at once.

        Some registries refuse even to look into a repository that is not there yet, but for those who may make it.
        """
        self._announced[repository] = scope

    def answer(self, headers: Iterable[str], repository: str, needed: Scope | None = None) -> None:
        """Get what a 401 asked for, so that the same request can be sent again. Raises Broken when we cannot.

        needed: what the request needs, for a registry that does not say it, or not all of it.
        """
        challenges: dict[str, Challenge] = {}
        for challenge in parse_challenges(headers):
            challenges.setdefault(challenge.scheme, challenge)
        if "bearer" in challenges:
            self._held[repository] = self._fetch(challenges["bearer"], self._scope(challenges["bearer"], repository, needed))
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

    def shortfall(self, repository: str) -> str:
        """What the last token does not allow although it was asked for, in words; empty when that is not known."""
        held = self._held.get(repository)
        if held is None or held.token.granted is None or held.token.granted | held.scope == held.token.granted:
            return ""
        return f"we asked its token server to {held.scope}, and may {held.token.granted}"

    def _scope(self, challenge: Challenge, repository: str, needed: Scope | None) -> Scope:
        """What the registry names and what we know ourselves; with what the repository's last token was asked to allow, so that
        two kinds of request do not take each other's token away."""
        asked = parse_scope(challenge.parameters.get("scope", ""))
        held = self._held[repository].scope if repository in self._held else Scope()
        known = (needed or Scope()) | self._announced.get(repository, Scope())
        # The registry may know the repository by another name than we.
        return held | asked | (known.without(repository) if asked and repository not in asked.actions else known)

    def _fetch(self, challenge: Challenge, scope: Scope) -> _Held:
        realm = httpx.URL(challenge.parameters.get("realm", ""))
        self._check_realm(realm)
        token = fetch_token(self._client, realm, challenge.parameters.get("service", ""), scope, self._current())
        return _Held(token, self._monotonic() + max(token.lifetime - _MARGIN, token.lifetime / 2), challenge, scope)

    def _current(self) -> Credentials | None:
        return self._credentials() if callable(self._credentials) else self._credentials

    def _check_realm(self, realm: httpx.URL) -> None:
        if not realm.host:
            raise Broken(f"the registry at {self._origin} asks for a token without saying where to get it (no realm)")
        if self._credentials and self._origin.scheme == "https" and realm.scheme != "https":
            raise Broken(
                f"the registry at {self._origin} sends us to {realm} for a token: the password would go there in the clear",
                advice="have the registry name an https address as its realm",
            )


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
