"""Who may read the requests that an app keeps, from the connection of its environment."""

from collections.abc import Callable

from nocturne.adapters.http_app import HttpAppClients
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.app_client import AppClient
from nocturne.ports.connections import Connection

_TOKEN = "samples_token"


def samples_client(connection: Connection, url: Callable[[], str]) -> AppClient | None:
    """A client that sends `extra.samples_token` as its bearer token; None without one. url: of the app, asked only then.

    Raises ConfigurationError for a token that no header can hold: what an HTTP library says of it would tell the token.
    """
    if not connection.extra.get(_TOKEN):
        return None
    token = connection.required(_TOKEN)
    if not (token.isascii() and token.isprintable()) or " " in token:
        fault = (
            f"extra.{_TOKEN}: found {len(token)} characters, some of which cannot be sent, expected printable ASCII without spaces"
        )
        raise ConfigurationError(f"the connection {connection.id}", [fault])
    return HttpAppClients(headers={"Authorization": f"Bearer {token}"}).open(url())
