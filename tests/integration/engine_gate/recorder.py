"""A stand-in for Docker Engine that does nothing but remember what it was asked: what the gate should stop is asked of it alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer


class Recorder(ThreadingUnixStreamServer):
    """Answers everything with an empty object, but for a build with the tag `slow`, where it speaks and waits.

    asked: method and path of each call. heard: set once the first bytes of an upload are here. told: the second line of the
    answer follows when the test sets it. left: set once the caller of a build has gone.
    """

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.asked: list[str] = []
        self.heard, self.told, self.left = threading.Event(), threading.Event(), threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path.partition('?')[0]}")
        if "t=slow" in self.path:
            self._build()
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = _answer

    def _build(self) -> None:
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        if chunked:
            size = int(self.rfile.readline(), 16)
            self.rfile.read(size + 2)
            self.server.heard.set()
            while size:
                size = int(self.rfile.readline(), 16)
                self.rfile.read(size + 2)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        if not chunked:
            self.rfile.read(1)  # nothing more is sent, so this is the caller's end
            self.server.left.set()
            return
        self.server.told.wait(60)
        self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def recording(path: Path) -> Iterator[Recorder]:
    """A recorder that listens on a socket."""
    with Recorder(path) as server:
        path.chmod(0o600)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
