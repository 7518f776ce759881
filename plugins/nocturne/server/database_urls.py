"""Where Airflow's database and the ledger's are, as SQLAlchemy reads it. Each has a role of its own, of the same name."""

from sqlalchemy import make_url

from nocturne.domain.errors import ConfigurationError
from nocturne.server.server_secrets import Secrets
from nocturne.server.settings import Settings

AIRFLOW_ROLE = "airflow"
LEDGER_ROLE = "nocturne"


def airflow_url(settings: Settings, secrets: Secrets) -> str:
    """Airflow's own database."""
    return _url(settings, AIRFLOW_ROLE, secrets.airflow_database)


def ledger_url(settings: Settings, secrets: Secrets) -> str:
    """The ledger."""
    return _url(settings, LEDGER_ROLE, secrets.ledger_database)


def _url(settings: Settings, role: str, password: str) -> str:
    try:
        url = make_url(f"postgresql+psycopg://?{settings.database_options}")
    except ValueError as error:
        fault = f"NOCTURNE_DATABASE_OPTIONS: found {settings.database_options!r}, expected NAME=VALUE, with & between"
        raise ConfigurationError("the environment", [fault]) from error
    whole = url.set(username=role, password=password, host=settings.database_host, port=settings.database_port, database=role)
    return whole.render_as_string(hide_password=False)
