"""Airflow's own database, where `airflow connections add` and the page Admin > Connections keep connections."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"
"""Airflow's SDK asks the database only in a process that says `server` here; in others, variables and a secrets backend alone.

Source: `ensure_secrets_backend_loaded` in airflow.sdk.execution_time.supervisor, Airflow 3.3; `airflow connections get` sets it.
"""


@contextmanager
def consulted() -> Iterator[None]:
    """Meanwhile Airflow finds connections in its database, too, where there is one."""
    if _CONTEXT in os.environ or not exists():
        yield
        return
    os.environ[_CONTEXT] = "server"
    try:
        yield
    finally:
        # What the command starts is no part of Airflow.
        del os.environ[_CONTEXT]


def exists() -> bool:
    """Whether there is a database to ask: SQLite would make an empty one instead of saying that there is none."""
    from airflow.settings import SQL_ALCHEMY_CONN
    from sqlalchemy import make_url

    url = make_url(str(SQL_ALCHEMY_CONN))
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()
