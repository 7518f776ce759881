"""Serves the app with one worker process a core, and leaves without losing a request."""

import dataclasses
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from typing import cast

from app.connections import Connections
from app.drain import DrainFlag
from app.front import Front, common_headers
from app.settings import Settings
from app.shared_counters import counted_in, shared_counters
from app.watch import Watch
from app.worker import END, work

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
BREATH_SECONDS = 1.0
"""A worker that dies sooner is not replaced before: what kills it may last."""

OTHER_FILES = 100
"""More than a worker has open besides its connections."""

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps worker processes, and ends them with a pause between being asked to stop and stopping.

    The load balancer needs the pause: it learns from `/readyz` that this app leaves, and meanwhile everything that it
    still sends is answered. Only then do the workers close their doors, finish what was begun, and end.
    Workers are forked, which is how they share the flag. listeners: one for each worker, all on one port; they
    outlast a worker that dies, with the connections that wait there.

    Signals are never handled in the middle of something else: they are blocked, and waited for.
    """

    def __init__(
        self, work: Callable[[socket.socket], None], listeners: list[socket.socket], leaving: DrainFlag
    ) -> None:
        self._work = work
        self._listeners = listeners
        self._leaving = leaving
        self._workers: dict[socket.socket, _Worker] = {}

    def run(self, drain_seconds: float, patience: float) -> None:
        """Serve until SIGTERM or SIGINT. patience: seconds that workers may take to end."""
        asked = None
        while asked is None:
            self._fill()
            asked = _signal(BREATH_SECONDS)
        self._leaving.raise_()
        # A person at a keyboard waits for no load balancer.
        if asked == signal.SIGTERM:
            log.info("asked to stop: unready from now on, closing in %s s", drain_seconds)
            end = time.monotonic() + drain_seconds
            while (left := end - time.monotonic()) > 0 and _signal(min(left, BREATH_SECONDS)) is None:
                self._fill()
        self._end(patience)

    def _fill(self) -> None:
        """Start what is missing."""
        for listener in self._listeners:
            worker = self._workers.get(listener)
            if worker and worker.process.is_alive():
                continue
            if worker and time.monotonic() < worker.since + BREATH_SECONDS:
                continue
            if worker:
                log.error("a worker has ended (exit code %s); another starts", worker.process.exitcode)
            process = multiprocessing.get_context("fork").Process(target=self._child, args=(listener,))
            process.start()
            self._workers[listener] = _Worker(process, time.monotonic())

    def _child(self, listener: socket.socket) -> None:
        # These are the supervisor's, also where all processes get them, as from a keyboard.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for other in self._listeners:
            if other is not listener:
                other.close()
        try:
            self._work(listener)
        except Exception:
            # Otherwise it would be told line by line, and not as this log is.
            log.exception("a worker has failed")
            sys.exit(1)

    def _end(self, patience: float) -> None:
        # From here on the port is closed as soon as the workers close it.
        for listener in self._listeners:
            listener.close()
        processes = [worker.process for worker in self._workers.values()]
        for process in processes:
            if process.pid and process.is_alive():
                # Until it serves, a worker has no handler for it, and ends at once.
                os.kill(process.pid, END)
        deadline = time.monotonic() + patience
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
            # Nobody waits for ever for a client that never sends the rest of its request.
            process.kill()
            process.join()


@dataclass(frozen=True)
class _Worker:
    process: ForkProcess
    since: float


def _signal(seconds: float) -> int | None:
    """Wait so long for a signal that says to stop, and return it; None also when a worker has ended."""
    told = signal.sigtimedwait(SIGNALS, seconds)
    return told.si_signo if told and told.si_signo != signal.SIGCHLD else None


def serve(settings: Settings) -> None:
    """Serve until a signal says to stop."""
    # Also a signal that comes in the first moments waits for its turn.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    leaving = DrainFlag()
    listeners = listen(settings.host, settings.port, settings.workers)
    port = listeners[0].getsockname()[1]
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "localhost"
    watch = Watch(settings.workers, host, port, settings.request_seconds)

    supervisor = os.getpid()
    most = openable(settings.limits.connections)

    def serve_from(listener: socket.socket) -> None:
        # Only here: the supervisor itself has no use for the model's runtime.
        from app.metrics import Metrics
        from app.web import create_app

        app = create_app(settings, leaving, Metrics() if counted_in() else None, watch)
        front = cast(Front, app.wsgi_app)
        connections = Connections(
            front,
            port,
            dataclasses.replace(settings.limits, connections=most),
            settings.request_seconds,
            settings.threads,
            common_headers(app.config["RELEASE"]),
            front.observers,
        )
        work(listener, connections, supervisor)

    with shared_counters(), watch.kept(leaving):
        log.info("serving on port %s of %s with %s workers", port, settings.host, settings.workers)
        Supervisor(serve_from, listeners, leaving).run(settings.drain_seconds, settings.request_seconds)


def openable(wanted: int) -> int:
    """Let each worker open as many files as its connections need; return how many those may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + OTHER_FILES
    if hard != resource.RLIM_INFINITY and enough > hard:
        enough = hard
        wanted = max(1, hard - OTHER_FILES)
        log.warning("a process may open %s files here: a worker keeps at most %s connections", hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    return wanted


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Return so many sockets that share one port: the system deals connections out to them. port: 0 for a free one."""
    listeners: list[socket.socket] = []
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    for _ in range(count):
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(listeners[0].getsockname() if listeners else address)
        listeners.append(listener)
    return listeners
