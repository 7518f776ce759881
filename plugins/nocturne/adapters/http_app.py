"""The running app over HTTP."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from nocturne.domain.errors import Broken
from nocturne.ports.app_client import Answer, AppClient, AppClients


class HttpAppClients(AppClients):
    """Opens clients that keep their connection. timeout: seconds for one answer. headers: sent with each request; may be secret."""

    def __init__(self, timeout: float = 10, headers: Mapping[str, str] | None = None) -> None:
        self._timeout = timeout
        self._headers = dict(headers or {})

    def open(self, url: str) -> AppClient:
        """A client for one address."""
        return HttpAppClient(httpx.Client(base_url=url, timeout=self._timeout, headers=self._headers))


class HttpAppClient(AppClient):
    """One base address."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> Answer:
        """See the port."""
        return self._send(self._client.build_request("GET", path))

    def post(self, path: str, body: Any) -> Answer:
        """See the port."""
        return self._send(self._client.build_request("POST", path, json=body))

    def _send(self, request: httpx.Request) -> Answer:
        started = time.monotonic()
        try:
            response = self._client.send(request)
        except httpx.ConnectError as error:
            raise Broken(f"nothing answers at {request.url}: {error}", advice="see whether the front door is up") from error
        except httpx.TransportError as error:
            # The connection was there and the answer was not: that is an answer too, and a wrong one.
            return Answer(599, f"no answer: {type(error).__name__}: {error}", time.monotonic() - started)
        return Answer(response.status_code, _body(response), time.monotonic() - started)


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text
