"""Every password and key of a server: made once, kept in one file, from which all other files are made."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from nocturne.adapters.private_file import new_fernet_key, new_key, new_password, new_storage_key, remove_partial, write_private
from nocturne.domain.errors import Broken, NotFound

ADMINISTRATOR = "admin"
BLOB_ACCOUNT = "nocturne"


@dataclass(frozen=True, repr=False)
class Secrets:
    """fernet: one key or more, the newest first, with commas between. The forms of the others stand where they are made."""

    admin_password: str
    airflow_database: str
    ledger_database: str
    postgres: str
    redis: str
    blob: str
    fernet: str
    jwt: str
    api: str


_NEW: dict[str, Callable[[], str]] = {
    **{field.name: new_key for field in fields(Secrets)},
    "admin_password": new_password,
    "blob": new_storage_key,
    "fernet": new_fernet_key,
}


class SecretStore:
    """`secrets.json` in a folder that only its owner may enter. What an older or a newer program wrote in it is kept.

    Whoever may change something does it while `alone`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "secrets.json"

    def load(self) -> Secrets:
        """The secrets that are there. Raises NotFound when none were made yet, and Broken when the file is not what was written."""
        found = self._read()
        missing = [field.name for field in fields(Secrets) if field.name not in found]
        if missing:
            raise NotFound(
                f"{self._file} does not have {', '.join(missing)}", advice="`docker compose up setup` makes what is missing"
            )
        return _secrets(found)

    def load_or_make(self) -> tuple[Secrets, bool]:
        """The secrets, and whether this is the first time: what is missing is made, what is there stays as it is. Raises Broken."""
        found = self._read()
        made = {name: new() for name, new in _NEW.items() if name not in found}
        if made:
            self._write({**found, **made})
        return _secrets({**found, **made}), not found

    def rotate(self, name: str) -> Secrets:
        """The secrets with a new one of this name. Fernet keeps the keys that there were. Raises NotFound, Broken."""
        secrets = self.load()
        new = _NEW[name]()
        changed = replace(secrets, **{name: f"{new},{secrets.fernet}" if name == "fernet" else new})
        self._write({**self._read(), **asdict(changed)})
        return changed

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise self._damaged("no JSON") from error
        if not isinstance(found, dict) or not found:
            raise self._damaged("no JSON object with secrets")
        wrong = [name for name in _NEW if name in found and not (isinstance(found[name], str) and found[name])]
        if wrong:
            raise self._damaged(f"no text under {', '.join(wrong)}")
        return found

    def _damaged(self, what: str) -> Broken:
        return Broken(
            f"{self._file} cannot be used: found {what}, expected one text for each of {', '.join(_NEW)}",
            advice="put it back from a backup: new secrets would lock everybody out of the data that the old ones protect",
        )

    def _write(self, content: dict[str, Any]) -> None:
        write_private(self._file, json.dumps(content, indent=2) + "\n")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time: two first starts must end with the same secrets, and with all files of the same."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            remove_partial(self._folder)
            yield
        finally:
            os.close(descriptor)


def _secrets(found: dict[str, Any]) -> Secrets:
    return Secrets(**{field.name: found[field.name] for field in fields(Secrets)})
