"""Users: a steady load on an address, half of it on connections that stay open."""

import http.client
import json
import threading
import time
from collections import Counter
from types import TracebackType

_THREADS = 4


class Load:
    """Sends requests while its `with` block runs, and counts what came back.

    answers: how often each text came with status 200. failures: everything else, in words. body: posted as JSON; without one
    the request is a GET.
    """

    def __init__(self, port: int, requests_per_second: float = 80, path: str = "/", body: object = None) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._port = port
        self._path = path
        self._body = None if body is None else json.dumps(body)
        self._interval = _THREADS / requests_per_second
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number % 2 == 0,)) for number in range(_THREADS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    @property
    def requests(self) -> int:
        """How many were sent and came to an end."""
        return self.answers.total() + len(self.failures)

    def _send(self, keep_alive: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        due = time.monotonic()
        while not self._end.wait(max(0.0, due - time.monotonic())):
            due += self._interval
            self._one(connection, keep_alive)
            if not keep_alive:
                connection.close()
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, keep_alive: bool) -> None:
        started, phase = time.strftime("%H:%M:%S"), "sending"
        headers = {} if keep_alive else {"Connection": "close"}
        if self._body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request("GET" if self._body is None else "POST", self._path, self._body, headers)
            phase = "waiting for the answer"
            answer = connection.getresponse()
            body = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{started}: {error!r} while {phase}")
            connection.close()
            return
        if answer.status == 200:
            self.answers[body] += 1
        else:
            self.failures.append(f"{started}: {answer.status} {body[:60]!r}")
