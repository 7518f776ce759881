"""A stand-in for the load balancer that stands before the app."""

import http.client
import threading
import time

from running import RunningApp

CLIENTS = 6
JSON = {"Content-Type": "application/json"}


class Balancer:
    """Clients that keep their connections and send to the app for as long as its health check finds it ready."""

    def __init__(self, app: RunningApp, body: str) -> None:
        self.answered = 0
        self.closed_politely = 0
        self.failures: list[str] = []
        self._app = app
        self._body = body
        self._up = threading.Event()
        self._up.set()
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        self._threads.append(threading.Thread(target=self._check))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=20)

    def _check(self) -> None:
        while self._app.get("/readyz") == 200:
            time.sleep(0.5)
        self._up.clear()

    def _send(self) -> None:
        connection = self._app.connect()
        while self._up.is_set():
            try:
                connection.request("POST", "/score", self._body, JSON)
                response = connection.getresponse()
                response.read()
                self._count(response)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
        connection.close()

    def _count(self, response: http.client.HTTPResponse) -> None:
        self.answered += 1
        self.closed_politely += response.getheader("Connection") == "close"
        if response.status != 200:
            self.failures.append(str(response.status))
