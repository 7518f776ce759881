"""The sandbox's own passwords and keys: made once, kept in one file that only its owner may read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nocturne.adapters.private_file import new_fernet_key, new_key, new_password, new_storage_key, write_private
from nocturne.domain.errors import Broken


@dataclass(frozen=True, repr=False)
class Secrets:
    """blob_key: base64 of 64 bytes. fernet_key: URL-safe base64 of 32 bytes. The others: text."""

    blob_account: str
    blob_key: str
    airflow_user: str
    airflow_password: str
    airflow_fernet_key: str
    airflow_api_secret: str
    airflow_jwt_secret: str


def load_or_make(home: Path) -> Secrets:
    """The secrets of a sandbox, made now if there are none. Raises Broken when the file is not what was written."""
    file = home / "secrets.json"
    if not file.exists():
        _write_once(file, _make())
    try:
        return Secrets(**json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        expected = ", ".join(field.name for field in fields(Secrets))
        raise Broken(
            f"{file} cannot be used; expected a JSON object with {expected}",
            advice="`make clean` removes it together with the data that it protects",
        ) from error


def _write_once(file: Path, content: Secrets) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    write_private(partial, json.dumps(asdict(content), indent=2))
    try:
        # Unlike a rename, a link never replaces what another process made in the same moment.
        os.link(partial, file)
    except FileExistsError:
        return
    finally:
        partial.unlink()


def _make() -> Secrets:
    return Secrets(
        blob_account="nocturne",
        blob_key=new_storage_key(),
        airflow_user="admin",
        airflow_password=new_password(),
        airflow_fernet_key=new_fernet_key(),
        airflow_api_secret=new_key(),
        airflow_jwt_secret=new_key(),
    )
