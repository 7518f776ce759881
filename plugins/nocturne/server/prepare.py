"""Everything that the databases need before Airflow starts: roles, databases, tables, the administrator."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.server import airflow_tables, databases
from nocturne.server.server_secrets import ADMINISTRATOR
from nocturne.server.superuser import Say, Superuser, read_password


@dataclass(frozen=True)
class Server:
    """Which PostgreSQL, and who may make roles there. secrets: the folder that Airflow reads its own from.

    host, port: of the superuser's way in; None for those of Airflow's database. wait_seconds: for a server that comes late.
    """

    secrets: Path
    password_file: Path
    user: str = "postgres"
    host: str | None = None
    port: int | None = None
    wait_seconds: float = 60


def prepare(server: Server, say: Say) -> None:
    """Bring all of it up to date; nothing happens where nothing is to do. Raises ConfigurationError, Broken."""
    airflow_url = read_password(server.secrets / "database_url")
    ledger_url = _ledger_url(server.secrets / "connections.json")
    airflow, url = databases.account_of(airflow_url, "database_url")
    ledger, _ = databases.account_of(ledger_url, "the connection nocturne_ledger")
    password = read_password(server.secrets / "admin_password")
    with _superuser(server, url).alone(server.wait_seconds, say) as connection:
        databases.bring_up_to_date(connection, [airflow, ledger], say)
        # Still alone: two that make the same user at the same time would be in each other's way.
        try:
            airflow_tables.migrate(airflow_url, say)
            SqlLedger.open(ledger_url, SystemClock()).close()
            airflow_tables.administrator(ADMINISTRATOR, password, say)
        except SQLAlchemyError as error:
            cause = " ".join(str(error.__cause__ or error).split()).replace(airflow.password, "***")
            raise Broken(f"Airflow's database {airflow.database} failed: {cause}", advice="see the log of PostgreSQL") from error


def _superuser(server: Server, url: URL) -> Superuser:
    options = {name: value for name, value in url.query.items() if isinstance(value, str)}
    return Superuser(
        host=server.host or str(url.host),
        port=server.port or url.port or 5432,
        user=server.user,
        password=read_password(server.password_file),
        options=options,
    )


def _ledger_url(file: Path) -> str:
    try:
        return str(json.loads(read_password(file))["nocturne_ledger"]["extra"]["url"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            str(file), ["found no nocturne_ledger.extra.url; `docker compose up setup` writes it anew"]
        ) from error
