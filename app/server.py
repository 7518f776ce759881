"""Serves the app with one worker process a core, and leaves without losing a request."""

import logging
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server.mp import MPServer

from app.drain import DrainFlag
from app.settings import Settings

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 1.0


class DrainingServer(MPServer):
    """Granian's supervisor, with a pause between being asked to stop and stopping.

    The load balancer needs the pause: it learns from `/readyz` that this app leaves, and meanwhile everything that it
    still sends is answered. Only then do the workers close their doors, finish what was begun, and end.
    Workers are forked, which is how they share the flag.
    """

    def __init__(self, settings: Settings, leaving: DrainFlag) -> None:
        self._drain_seconds = settings.drain_seconds
        self._leaving = leaving
        super().__init__(
            "app",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=settings.workers,
            blocking_threads=settings.threads,
            # `Connection: close`, which sends clients elsewhere, exists in HTTP/1 only.
            http=HTTPModes.http1,
            websockets=False,
            respawn_failed_workers=True,
        )

    def signal_handler_interrupt(self, signum: int, frame: FrameType | None) -> None:
        """Stop: at once when asked from the keyboard, or asked twice, else after the pause."""
        if os.getpid() != self.pid:
            # A worker just forked has this handler too, until it sets its own. It serves nobody yet.
            os._exit(0)
        if signum == signal.SIGINT or self._leaving.is_raised():
            return self._stop()
        self._leaving.raise_()
        log.info("asked to stop: unready from now on, closing in %s s", self._drain_seconds)
        threading.Timer(self._drain_seconds, self._stop).start()
        return None

    def _stop_workers(self) -> None:
        # Granian asks once, and a worker that is just about to serve misses it: its handler is there already, and nobody
        # looks yet at what that handler notes. Asking one again that finishes its last requests changes nothing.
        while alive := [worker for worker in self.wrks if worker.is_alive()]:
            for worker in alive:
                worker.terminate()
            for worker in alive:
                worker.join(_ASK_AGAIN_SECONDS)

    def _stop(self) -> None:
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]


def serve(settings: Settings) -> None:
    """Serve until a signal says to stop."""
    # Process 1 of a container ignores a signal it has no handler for: a stop in the first moments would be lost.
    signal.signal(signal.SIGTERM, _leave_at_once)
    leaving = DrainFlag()

    def load_app() -> Flask:
        # Runs in each worker: the supervisor itself has no use for the model's runtime.
        from app.web import create_app

        return create_app(settings, leaving)

    DrainingServer(settings, leaving).serve(target_loader=load_app, wrap_loader=False)


def _leave_at_once(*_: Any) -> None:
    sys.exit(0)
