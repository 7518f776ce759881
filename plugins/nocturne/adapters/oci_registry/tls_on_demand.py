"""TLS for those who need it."""

from functools import cached_property
from typing import Any
from urllib.request import getproxies

import httpx


def tls_on_demand() -> dict[str, Any]:
    """What an `httpx.Client` is made with; nothing where the environment names a proxy, which httpx finds by itself alone."""
    if getproxies().keys() & {"http", "https", "all"}:
        return {}
    # The first is for http:// alone, which has no certificates.
    return {"transport": httpx.HTTPTransport(verify=False), "mounts": {"https://": TlsOnDemand()}}


class TlsOnDemand(httpx.BaseTransport):
    """Verifies certificates like httpx itself, but loads the machine's only when the first https request is made.

    Loading them takes longer than asking a registry next door that needs none.
    """

    @cached_property
    def _transport(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it."""
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Give the connections back, if there are any."""
        if "_transport" in self.__dict__:
            self._transport.close()
