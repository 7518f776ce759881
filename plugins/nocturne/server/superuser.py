"""The way into a PostgreSQL server as somebody who may make roles and databases."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from nocturne.domain.errors import Broken, ConfigurationError

_OURS = 0x6E6F632073657475  # the bytes of "noc setu": a key of our own among the advisory locks
_PATIENCE_SECONDS = 600
"""How long to wait for another that does the same: making all tables takes a while on a small machine."""
_PING = {
    psycopg.pq.Ping.OK: "",
    psycopg.pq.Ping.REJECT: "it is starting up, or shutting down",
    psycopg.pq.Ping.NO_RESPONSE: "nobody answers",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Superuser:
    """password: None for a server that asks for none. options: of libpq (`sslmode`), also from PostgreSQL's URLs.

    Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    """

    host: str
    port: int
    user: str = "postgres"
    database: str = "postgres"
    password: str | None = field(default=None, repr=False)
    options: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"

    @contextmanager
    def alone(self, wait_seconds: float, say: Say) -> Iterator[psycopg.Connection]:
        """A connection, once the server is up and nobody else has one from here. Each statement is a transaction. Raises Broken."""
        wait_for_server(self, wait_seconds, say)
        try:
            with psycopg.connect(self._conninfo(), autocommit=True) as connection:
                connection.execute(f"SET lock_timeout = '{_PATIENCE_SECONDS}s'")
                connection.execute("SELECT pg_advisory_lock(%s)", [_OURS])
                yield connection
        except psycopg.Error as error:
            raise Broken(
                f"PostgreSQL at {self.address} refuses {self.user}: {self._told(error)}",
                advice="correct the superuser's name and password file; a server takes its first one only while it is empty",
            ) from error

    def _conninfo(self) -> str:
        # Never from PGPASSWORD or ~/.pgpass, which belong to somebody else.
        settings = {"passfile": os.devnull, "password": self.password or "", **self.options}
        return make_conninfo(host=self.host, port=self.port, user=self.user, dbname=self.database, connect_timeout=10, **settings)

    def ping(self) -> psycopg.pq.Ping:
        """What the server says to who does not sign in."""
        probe = make_conninfo(host=self.host, port=self.port, dbname=self.database, connect_timeout=5)
        return psycopg.pq.Ping(psycopg.pq.PGconn.ping(probe.encode()))

    def _told(self, error: psycopg.Error) -> str:
        text = " ".join(str(error).split())
        return text.replace(self.password, "***") if self.password else text


def read_password(file: Path) -> str:
    """The content of a password file, without the line's end. Raises ConfigurationError."""
    try:
        return file.read_text().rstrip("\n")
    except OSError as error:
        raise ConfigurationError(
            "the server's secrets", [f"{file}: {error.strerror}; `docker compose up setup` makes it"]
        ) from error


def wait_for_server(superuser: Superuser, wait_seconds: float, say: Say) -> None:
    """Come back when the server takes connections, saying what it waits for. Raises Broken when that takes too long."""
    deadline, told = time.monotonic() + wait_seconds, ""
    while (found := superuser.ping()) is not psycopg.pq.Ping.OK:
        reason = _PING.get(found)
        if reason is None:
            raise Broken(f"{superuser.address} is no address of a PostgreSQL server", advice="correct host and port")
        if time.monotonic() > deadline:
            raise Broken(
                f"PostgreSQL at {superuser.address} is not up after {wait_seconds:g} s: {reason}",
                advice="see its log: `docker compose logs postgres`",
            )
        if reason != told:
            say(f"waiting for PostgreSQL at {superuser.address}: {reason}")
            told = reason
        time.sleep(0.5)
