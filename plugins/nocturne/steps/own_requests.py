"""Knowing which of an app's requests were ours."""

from statistics import median
from typing import Any

from nocturne.ports.app_client import Answer, AppClient
from nocturne.ports.cluster import Traffic


class OwnRequests(AppClient):
    """Asks through another client, and counts as the app must: every answer is a request, one from 500 on a failed one.

    An answer that did not come counts too, for the app may well have got the request.
    """

    def __init__(self, client: AppClient) -> None:
        self._client = client
        self._requests = self._failed = 0
        self._seconds: list[float] = []

    @property
    def traffic(self) -> Traffic:
        """What was asked so far."""
        return Traffic(self._requests, self._failed)

    @property
    def latency(self) -> float | None:
        """Median over the answers to POST with status 200 so far, in seconds; None without one. Refusing is quick."""
        return median(self._seconds) if self._seconds else None

    def get(self, path: str) -> Answer:
        """See the port."""
        return self._counted(self._client.get(path))

    def post(self, path: str, body: Any) -> Answer:
        """See the port."""
        answer = self._counted(self._client.post(path, body))
        if answer.status == 200:
            self._seconds.append(answer.seconds)
        return answer

    def _counted(self, answer: Answer) -> Answer:
        self._requests += 1
        self._failed += answer.status >= 500
        return answer
