"""Ports for servers of tests."""

import itertools
import os
import socket
from contextlib import suppress

_FIRST, _COUNT, _WORKERS = 21_000, 1_000, 8
"""Below what the system gives away by itself, which anybody may be given between our look and our use."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# From another one in each process, for another clone's tests may run beside these.
_numbers = itertools.count(os.getpid() * 7)


def free_port() -> int:
    """A port on this machine that nobody listens on, and that no other worker of these tests is given."""
    for number in itertools.islice(_numbers, _COUNT):
        port = _FIRST + _COUNT * (_worker % _WORKERS) + number % _COUNT
        with suppress(OSError), socket.socket() as probe:
            # As servers do: what was closed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port is free from {_FIRST} on")
