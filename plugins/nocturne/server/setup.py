"""Bringing the secrets of a server up to date."""

from dataclasses import dataclass
from pathlib import Path

from nocturne.domain.errors import Broken
from nocturne.server.secret_files import secret_files, write_files
from nocturne.server.server_secrets import Secrets, SecretStore
from nocturne.server.settings import Settings


@dataclass(frozen=True)
class SetUp:
    """first: whether there were no secrets before. written: the files that were written now, below the folder."""

    secrets: Secrets
    first: bool
    written: list[str]


def set_up(folder: Path, settings: Settings) -> SetUp:
    """Make what is missing and leave what is there. Safe to be killed anywhere, and to be repeated. Raises Broken."""
    try:
        store = SecretStore(folder / "all")
        with store.alone():
            secrets, first = store.load_or_make()
            return SetUp(secrets, first, write_files(folder, secret_files(settings, secrets)))
    except OSError as error:
        raise not_written(folder, error) from error


def administrator_password(folder: Path) -> str:
    """What the administrator signs in with. Raises NotFound before the first start, and Broken."""
    try:
        return SecretStore(folder / "all").load().admin_password
    except OSError as error:
        raise not_written(folder, error) from error


def not_written(folder: Path, error: OSError) -> Broken:
    """Somebody else than root, or a disk that is full."""
    return Broken(
        f"the secrets in {folder} cannot be read or written: {error}",
        advice="run this as root, as docker-compose.yaml does: `docker compose run --rm setup ...`",
    )
