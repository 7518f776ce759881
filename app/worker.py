"""A worker process: an event loop that serves connections until it is told to end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from typing import Any

import uvloop

from app.connection import Connection
from app.connections import Connections

END = signal.SIGUSR1
"""What the supervisor says to a worker. SIGTERM it is not: some send that to all processes at once, too early."""

BACKLOG = 2048
LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


def work(listener: socket.socket, connections: Connections, supervisor: int) -> None:
    """Serve what `listener` accepts until END, or until the supervisor is gone, and finish what was begun.

    supervisor: its process id, from before the fork.
    """
    uvloop.run(_serve(listener, connections, supervisor))
    connections.close()


async def _serve(listener: socket.socket, connections: Connections, supervisor: int) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(END, told.set)
    door = Door(listener, connections)
    while not told.is_set() and os.getppid() == supervisor:
        connections.look()
        await _wait(told, LOOK_SECONDS)
    door.close()
    connections.end()
    # How long that may take is the supervisor's business, unless it is gone.
    while connections.open and os.getppid() == supervisor:
        connections.look()
        await asyncio.sleep(0.02)


class Door:
    """Accepts connections, all that wait at once: uvloop's own servers accept one between two requests.

    Those that wait longer are in no queue that anybody measures.
    """

    def __init__(self, listener: socket.socket, connections: Connections) -> None:
        self._listener = listener
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._welcomes: set[asyncio.Task[Any]] = set()
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self._open()

    def close(self) -> None:
        """Accept no more."""
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _open(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                accepted, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("no connection can be accepted for %g s: %s", LOOK_SECONDS, error)
                self._loop.remove_reader(self._listener)
                self._loop.call_later(LOOK_SECONDS, self._open)
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            welcome = self._loop.create_task(self._loop.connect_accepted_socket(self._connection, accepted))
            self._welcomes.add(welcome)
            welcome.add_done_callback(self._welcomes.discard)

    def _connection(self) -> Connection:
        return Connection(self._connections, self._loop)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
