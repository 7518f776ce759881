"""A stand-in for the load balancer that stands before the app."""

import http.client
import threading
import time

from running import RunningApp

CLIENTS = 16
"""More than there are workers: some requests always wait their turn."""

JSON = {"Content-Type": "application/json"}


class Balancer:
    """Clients that send to the app for as long as its health check finds it ready, or until they are stopped.

    keep_alive: whether they keep their connections, or make a new one for each request. checks: whether there is a
    health check.
    """

    def __init__(self, app: RunningApp, body: str, keep_alive: bool = True, checks: bool = True) -> None:
        self.answered = 0
        self.closed_politely = 0
        self.failures: list[str] = []
        self._app = app
        self._body = body
        self._headers = JSON if keep_alive else JSON | {"Connection": "close"}
        self._lock = threading.Lock()
        self._up = threading.Event()
        self._up.set()
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        self._threads += [threading.Thread(target=self._check)] if checks else []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=20)

    def stop(self) -> None:
        self._up.clear()
        self.join()

    def _check(self) -> None:
        while self._up.is_set() and self._app.get("/readyz") == 200:
            time.sleep(0.5)
        self._up.clear()

    def _send(self) -> None:
        connection = self._app.connect()
        while self._up.is_set():
            try:
                connection.request("POST", "/score", self._body, self._headers)
                response = connection.getresponse()
                response.read()
                with self._lock:
                    self._count(response)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
        connection.close()

    def _count(self, response: http.client.HTTPResponse) -> None:
        self.closed_politely += response.getheader("Connection") == "close"
        if response.status == 200:
            self.answered += 1
        else:
            self.failures.append(str(response.status))
