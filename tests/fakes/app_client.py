from collections.abc import Callable
from typing import Any

from nocturne.domain.errors import Broken
from nocturne.ports.app_client import Answer, AppClient, AppClients
from tests.fakes.scripted import Scripted

Handler = Callable[[Any], tuple[int, Any]]
"""Gets the body of a request (None for GET), gives status and body of the answer."""


class FakeAppClients(Scripted, AppClients):
    """Apps by base address. Nothing answers at an address without routes: Broken."""

    def __init__(self) -> None:
        super().__init__()
        self._apps: dict[str, dict[str, Handler]] = {}

    def serve(self, url: str, routes: dict[str, Handler]) -> None:
        """routes: `GET /version` and the like to what answers there. In place of what was at the address."""
        self._apps[url] = routes

    def stop(self, url: str) -> None:
        """Nothing answers at this address any more."""
        self._apps.pop(url, None)

    def open(self, url: str) -> AppClient:
        self._called("open")
        return _FakeAppClient(self, url)

    def answer(self, url: str, request: str, body: Any) -> Answer:
        """What the app at an address answers now; counted as `url request`."""
        self.calls[f"{url} {request}"] += 1
        if url not in self._apps:
            raise Broken(f"nothing answers at {url}")
        handler = self._apps[url].get(request)
        status, answer = handler(body) if handler else (404, "Not Found")
        return Answer(status, answer, 0.001)


class _FakeAppClient(AppClient):
    def __init__(self, clients: FakeAppClients, url: str) -> None:
        self._clients = clients
        self._url = url

    def get(self, path: str) -> Answer:
        return self._clients.answer(self._url, f"GET {path}", None)

    def post(self, path: str, body: Any) -> Answer:
        return self._clients.answer(self._url, f"POST {path}", body)
