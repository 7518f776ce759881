"""A connection to PostgreSQL that does not wait for ever.

The limits of libpq end a wait for a machine that is gone. A server that is stopped, or a proxy that no longer forwards, has a
kernel that goes on confirming every packet: only who counts the seconds notices.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from nocturne.adapters.sql_ledger import patience

_Found = TypeVar("_Found")


class AnsweringConnection(psycopg.Connection[Any]):
    """psycopg's connection. Raises OperationalError, and is closed, when an answer takes longer than `patience.ANSWER_SECONDS`."""

    def wait(self, gen: PQGen[_Found], interval: float = 0.1, timeout: float | None = None) -> _Found:
        """See psycopg.Connection."""
        limit = patience.ANSWER_SECONDS if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout as error:
            # In the middle of an answer it is good for nothing more, not even for a rollback.
            self.close()
            raise psycopg.OperationalError(f"no answer within {limit:g} s, expected one at once") from error
