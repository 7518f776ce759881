"""Image registries, from connections."""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from nocturne.adapters.oci_registry.credentials import Credentials, CredentialsNow

# The domain of a reference: https://github.com/distribution/reference/blob/main/reference.go
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")

Logins = dict[str, dict[str, str]]
"""A registry's host to `username` and `password`, as Docker Engine takes them."""


def registry_address(connection: Connection) -> tuple[str, str]:
    """The base URL of a registry's API, and what stands before the repository in its references: what engine and cluster pull by,
    `extra.image_host` where that is another name than ours. Raises ConfigurationError.

    A host without a scheme is https, but for this machine's own: container engines speak http to it too.
    """
    scheme, _, host = connection.host.rpartition("://")
    host = host.strip("/") + (f":{connection.port}" if connection.port else "")
    local = host.split(":")[0] in ("localhost", "127.0.0.1")
    return f"{scheme or ('http' if local else 'https')}://{host}", _image_host(connection) or host


def registry_credentials(connection: Connection) -> "Credentials | CredentialsNow | None":
    """Who we are to the registry: login and password; by Entra ID for ACR; None for a registry that asks nobody."""
    from nocturne.adapters.oci_registry import Credentials

    if connection.kind == "azure":
        from nocturne.adapters.azure import RegistrySignIn

        url, _ = registry_address(connection)
        # The service that the token is for: the registry itself, whatever it is called elsewhere.
        sign_in = RegistrySignIn(connection, url, urlsplit(url).netloc.partition(":")[0])
        return lambda: Credentials(*sign_in(), refresh_token=True)
    return Credentials(connection.login, connection.password) if connection.login else None


def engine_logins(connection: Connection, credentials: "Credentials | CredentialsNow | None") -> Logins:
    """The same for a Docker Engine that pulls and pushes; those of the moment, which outlast a task. Raises Broken."""
    current = credentials() if callable(credentials) else credentials
    _, host = registry_address(connection)
    return {host: {"username": current.username, "password": current.password}} if current else {}


def _image_host(connection: Connection) -> str:
    value = connection.extra.get("image_host") or ""
    if isinstance(value, str) and (not value or _HOST.fullmatch(value)):
        return value
    fault = f"extra.image_host: found {value!r}, expected a host with its port such as 'localhost:5000', without http:// and path"
    raise ConfigurationError(f"the connection {connection.id}", [fault])
