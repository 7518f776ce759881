"""A way to Docker Engine that can be cut, so that an engine can be away without stopping one that others use."""

import socket
import threading
from pathlib import Path


class EngineProxy:
    """A socket that forwards to the engine's while it is open."""

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self._path, self._engine = path, engine
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Listen and forward."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen()
        self._open.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Stop listening, and end every connection."""
        self._path.unlink()
        with self._lock:
            for connection in self._open:
                connection.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._engine)
            with self._lock:
                # One that was accepted just before the cut ends, too.
                if listener not in self._open:
                    client.close()
                    engine.close()
                    return
                self._open += [client, engine]
            for source, sink in ((client, engine), (engine, client)):
                threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
