"""TLS for those who need it."""

from functools import cached_property

import httpx


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
