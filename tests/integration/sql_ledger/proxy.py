"""A way to a server's socket over TCP that can stop forwarding without closing anything, as a machine in between may."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import URL, make_url


class Proxy:
    """Forwards while `open` is set; what arrives meanwhile is confirmed by its kernel and goes nowhere."""

    def __init__(self, behind: Path) -> None:
        self.open = Event()
        self.open.set()
        self._behind = behind
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listening]
        Thread(target=self._accept, daemon=True).start()

    def url(self, of: str) -> str:
        """The URL of a server, by way of this proxy."""
        found: URL = make_url(of).difference_update_query(["host"])
        return found.set(host="127.0.0.1", port=self._listening.getsockname()[1]).render_as_string(hide_password=False)

    def close(self) -> None:
        """Close all that is open."""
        self.open.set()
        for found in self._sockets:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)
            found.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._behind))
                self._sockets += [near, far]
                for one, other in ((near, far), (far, near)):
                    Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.open.wait()
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(behind: Path) -> Iterator[Proxy]:
    """A proxy before a socket; it is gone afterwards."""
    made = Proxy(behind)
    try:
        yield made
    finally:
        made.close()
