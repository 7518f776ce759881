"""Measures how long requests wait in each worker process, by waiting there itself, and ends workers that are stuck.

A worker that is at work on a request sees neither what waits nor the time. So a process of its own keeps one connection
to each worker and asks something over it again and again: what it waits, all wait. A worker that is too far behind
refuses requests until it has caught up. One that is at work on one request for too long is ended; the server starts
another.
"""

import contextlib
import http.client
import logging
import mmap
import multiprocessing
import os
import secrets
import select
import signal
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess

from app.drain import DrainFlag
from app.exchange import Answer, Call, Route
from app.siblings import is_sibling

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""Between two looks whether the watch itself lives."""

_ROW = struct.Struct("=qdd")
_SECONDS = struct.Struct("=d")
_ROWS = 512


class Waits:
    """A row for each worker, in memory that all processes forked later share.

    It tells how long requests wait, and since when the worker is busy.

    The watch writes the one number, the worker the other. A torn read is one wrong decision about one request.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ROW.size * _ROWS)

    def join(self, pid: int) -> int:
        """Make a row for a worker, and return where its numbers are."""
        # Two living workers in one row would be 512 processes apart: both would be judged by the busier one.
        row = pid % _ROWS * _ROW.size
        _ROW.pack_into(self._memory, row, pid, 0.0, 0.0)
        return row

    def note(self, pid: int, seconds: float) -> None:
        """Tell a worker how long requests wait for it."""
        _SECONDS.pack_into(self._memory, pid % _ROWS * _ROW.size + 8, seconds)

    def of(self, pid: int) -> float:
        """Return how long requests wait for a worker, in seconds; 0 for one that has no row."""
        found, seconds, _ = _ROW.unpack_from(self._memory, pid % _ROWS * _ROW.size)
        return float(seconds) if found == pid else 0.0

    def wait(self, row: int) -> float:
        """Return how long requests wait for the worker of a row, in seconds."""
        seconds: float = _SECONDS.unpack_from(self._memory, row + 8)[0]
        return seconds

    def busy(self, row: int, since: float) -> None:
        """Note since when (time.monotonic) the worker of a row is at work on one request; 0 when it is done."""
        _SECONDS.pack_into(self._memory, row + 16, since)

    def stuck(self, patience: float) -> list[int]:
        """Return the pids of workers that are at work on one request for longer than `patience` seconds, once."""
        before = time.monotonic() - patience
        found = []
        for row in range(0, len(self._memory), _ROW.size):
            pid, _, since = _ROW.unpack_from(self._memory, row)
            if 0 < since < before:
                found.append(pid)
                self.busy(row, 0.0)
        return found


@dataclass(frozen=True)
class Watch:
    """What the watch and the workers agree upon. patience: seconds that a worker may spend on one request.

    path: a secret, because its answer is nobody else's business.
    """

    workers: int
    host: str
    port: int
    patience: float
    waits: Waits = field(default_factory=Waits)
    path: str = field(default_factory=lambda: f"/{secrets.token_hex(16)}", repr=False)

    def route(self) -> Route:
        """Return the route that the watch asks. It has no name, so no observer learns of it."""
        return Route("", self.path, _own_pid, "GET")

    @contextlib.contextmanager
    def kept(self, leaving: DrainFlag) -> Iterator[None]:
        """Watch from a process of its own, until the block ends or the app is about to leave."""
        done = threading.Event()
        # The first is forked here, while this process has no other thread yet.
        keeper = threading.Thread(target=self._keep, args=(self._start(leaving), leaving, done), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep(self, process: ForkProcess, leaving: DrainFlag, done: threading.Event) -> None:
        """Replace a watch that ends too early: what it told last would hold for ever, and nothing would end workers."""
        while not done.wait(LOOK_SECONDS):
            if not process.is_alive() and not leaving.is_raised():
                log.error("the watch of the workers has ended (exit code %s); another starts", process.exitcode)
                process = self._start(leaving)
        process.kill()
        process.join()

    def _start(self, leaving: DrainFlag) -> ForkProcess:
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=self._run, args=(leaving, os.getpid()), daemon=True)
        process.start()
        return process

    def _run(self, leaving: DrainFlag, parent: int) -> None:
        # Ctrl+C goes to the whole terminal; this process ends with its parent.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        seen: set[int] = set()
        lock = threading.Lock()
        for _ in range(self.workers):
            threading.Thread(target=_Follower(self, seen, lock).run, daemon=True).start()
        while not leaving.is_raised() and os.getppid() == parent:
            self.end_stuck()
            time.sleep(PAUSE_SECONDS)

    def end_stuck(self) -> None:
        """End all workers, siblings of this process, that are at one request for too long."""
        # A worker that has died over a request leaves its row behind, and its id to others.
        for pid in filter(is_sibling, self.waits.stuck(self.patience)):
            log.error("worker %s is at one request for %g s and is ended; another starts", pid, self.patience)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class _Follower:
    """Follows one worker after the other, in a thread of its own. seen: the workers that any follower follows."""

    def __init__(self, watch: Watch, seen: set[int], lock: threading.Lock) -> None:
        self._watch = watch
        self._seen = seen
        self._lock = lock

    def run(self) -> None:
        while True:
            connection = http.client.HTTPConnection(self._watch.host, self._watch.port)
            # Workers start, end, and close their connections: all of it means to begin anew.
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError), contextlib.closing(connection):
                pid = self._ask(connection)
                with self._taken(pid) as mine:
                    while mine:
                        time.sleep(PAUSE_SECONDS)
                        self._ask(connection, pid)
            time.sleep(PAUSE_SECONDS)

    def _ask(self, connection: http.client.HTTPConnection, pid: int = 0) -> int:
        """Return the pid of who answers; pid: who will, where that is known."""
        began = time.monotonic()
        connection.request("GET", self._watch.path)
        while not select.select([connection.sock], [], [], PAUSE_SECONDS)[0]:
            self._note(pid, time.monotonic() - began)
        answered = int(connection.getresponse().read())
        self._note(pid, time.monotonic() - began)
        return answered

    def _note(self, pid: int, seconds: float) -> None:
        if pid:
            self._watch.waits.note(pid, seconds)

    @contextlib.contextmanager
    def _taken(self, pid: int) -> Iterator[bool]:
        """Be the one that follows a worker, unless another follower is; its row is left without a wait."""
        with self._lock:
            mine = pid not in self._seen
            self._seen.add(pid)
        try:
            yield mine
        finally:
            if mine:
                self._seen.discard(pid)
                self._note(pid, 0.0)


def _own_pid(call: Call) -> Answer:
    return Answer(str(os.getpid()).encode(), content_type="text/plain", headers=(("Cache-Control", "no-store"),))
