"""Signing in to Azure Container Registry with an identity of Entra ID instead of a password.

Source: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx

from nocturne.adapters.azure.failures import brief
from nocturne.adapters.azure.identity import Identity
from nocturne.domain.errors import Broken
from nocturne.ports.connections import Connection

# The narrowest audience that the exchange takes: good for registries alone, and accepted where tokens for Resource Manager are
# not. Source: https://learn.microsoft.com/azure/container-registry/container-registry-disable-authentication-as-arm
_SCOPE = "https://containerregistry.azure.net/.default"
# Tells a registry that the password is a refresh token.
_USERNAME = "00000000-0000-0000-0000-000000000000"
# Seconds. Azure's tokens live for hours; one that does not say until when is not kept.
_LONGEST_MARGIN = 300.0
_LOCAL = ("localhost", "127.0.0.1", "::1")


class RegistryLogin(NamedTuple):
    """What Docker, Kubernetes and `/oauth2/token` take alike. password: a refresh token."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryLogin({self.username!r})"


class RegistrySignIn:
    """Gives the login of the moment for one registry, called whenever one is needed.

    base_url: the registry's address. service: its name, which Azure puts into the token: the host of its login server.
    """

    def __init__(self, connection: Connection, base_url: str, service: str, *, now: Callable[[], float] = time.time) -> None:
        """Raises ConfigurationError with every fault of the connection. Nothing is asked yet."""
        self._identity = Identity(connection)
        self._url = httpx.URL(base_url).join("/oauth2/exchange")
        self._service = service
        self._now = now
        self._lock = threading.Lock()
        self._login: RegistryLogin | None = None
        self._renewal = 0.0
        if self._url.scheme != "https" and self._url.host not in _LOCAL:
            raise Broken(f"the registry {base_url} would get an Entra ID token in the clear", advice="name it without http://")

    def __call__(self) -> RegistryLogin:
        """A login that is valid for minutes at least. Raises Broken, or ConfigurationError when Entra ID refuses us."""
        with self._lock:
            if self._login is None or self._now() >= self._renewal:
                self._login = RegistryLogin(_USERNAME, self._exchange())
                self._renewal = self._now() + _usable_seconds(self._login.password)
            return self._login

    def _exchange(self) -> str:
        form = {"grant_type": "access_token", "service": self._service, "access_token": self._identity.token(_SCOPE)}
        if self._identity.tenant:
            form["tenant"] = self._identity.tenant
        try:
            response = httpx.post(self._url, data=form, timeout=60)
        except httpx.TransportError as error:
            raise Broken(
                f"the registry {self._service} cannot be reached: {error or type(error).__name__}",
                advice="check its name (the login server, like NAME.azurecr.io) and that this worker may reach it",
            ) from error
        if response.status_code != 200:
            raise self._refusal(response)
        try:
            return str(response.json()["refresh_token"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"the registry {self._service} answers the exchange without a token, expected refresh_token") from error

    def _refusal(self, response: httpx.Response) -> Broken:
        what = f"the registry {self._service} answers {response.status_code} to the identity of {self._identity.connection_id}"
        message = f"{what}, expected 200: {_reason(response)}"
        if response.status_code == 404:
            return Broken(message, advice="expected an Azure Container Registry; for any other use a connection of type docker")
        if response.status_code in (400, 401, 403):
            return Broken(
                message,
                advice="give this identity the role AcrPush on the registry, check extra.tenantId, and the registry's firewall",
            )
        return Broken(message)


def _reason(response: httpx.Response) -> str:
    try:
        faults = response.json()["errors"]
        return brief("; ".join(f"{fault['code']} {fault.get('message', '')}".strip() for fault in faults))
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _usable_seconds(token: str) -> float:
    """How long a refresh token may be used: until shortly before its `exp`, by the registry's own clock."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lifetime = float(claims["exp"]) - float(claims.get("iat", claims.get("nbf")))
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        return 0.0
    return max(lifetime - min(_LONGEST_MARGIN, lifetime / 5), 0.0)
