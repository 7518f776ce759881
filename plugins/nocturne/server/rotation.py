"""Giving one secret of a server a new value, and what has to be done so that everybody takes it."""

from pathlib import Path

from nocturne.domain.errors import ConfigurationError
from nocturne.server.secret_files import secret_files, write_files
from nocturne.server.server_secrets import SecretStore
from nocturne.server.settings import Settings
from nocturne.server.setup import not_written

_DATABASES = "docker compose up databases"
_RESTART = "docker compose restart api-server scheduler dag-processor triggerer   # and worker, with the profile celery"
_QUIET = "Best while no run is under way:"

_AFTERWARDS = {
    "admin_password": (_DATABASES, "Until then the old one is in force; then every session of the user ends."),
    "airflow_database": (_DATABASES, _RESTART, f"{_QUIET} between the two, Airflow cannot open new connections to its database."),
    "ledger_database": (_DATABASES, "Until then, steps that open the ledger fail, and are tried again."),
    "redis": ("docker compose restart redis", _RESTART, f"{_QUIET} tasks wait until both are back."),
    "blob": ("docker compose restart azurite", "Connections are read anew by each task."),
    "jwt": (_RESTART, f"{_QUIET} a running task cannot report to the new processes, and is tried again."),
    "api": (_RESTART, "Everybody has to sign in again."),
    "fernet": (
        _RESTART,
        "docker compose exec scheduler airflow rotate-fernet-key",
        "The older keys stay behind the new one, so that what they encrypted can be read until then.",
    ),
}

ROTATED = tuple(_AFTERWARDS)
"""The names of the secrets that can be rotated.

Not among them is the superuser's password: the server would go on to ask for the old one.
"""


def rotate(folder: Path, settings: Settings, name: str) -> tuple[str, ...]:
    """Make the new value and write all files; the commands that are to follow. Raises ConfigurationError, NotFound, Broken."""
    if name not in ROTATED:
        raise ConfigurationError("the command", [f"NAME: found {name!r}, expected one of {', '.join(ROTATED)}"])
    try:
        store = SecretStore(folder / "all")
        with store.alone():
            write_files(folder, secret_files(settings, store.rotate(name)))
    except OSError as error:
        raise not_written(folder, error) from error
    return _AFTERWARDS[name]
