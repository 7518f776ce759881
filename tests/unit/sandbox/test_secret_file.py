import base64
import stat
from pathlib import Path

import pytest

from nocturne.adapters.private_file import write_private
from nocturne.domain.errors import Broken
from nocturne.sandbox.secret_file import load_or_make


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The second look finds what the first one made."""
    assert load_or_make(tmp_path / "home") == load_or_make(tmp_path / "home")


def test_each_sandbox_has_secrets_of_its_own(tmp_path: Path) -> None:
    """Two homes share no password and no key."""
    first, second = load_or_make(tmp_path / "a"), load_or_make(tmp_path / "b")
    assert first.blob_key != second.blob_key
    assert first.airflow_password != second.airflow_password


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    """The file has mode 0600, and nothing else is left beside it."""
    load_or_make(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.json"]


def test_keys_have_the_form_that_their_users_expect(tmp_path: Path) -> None:
    """Azure's account key is base64 of 64 bytes, a Fernet key of 32."""
    secrets = load_or_make(tmp_path)
    assert len(base64.b64decode(secrets.blob_key, validate=True)) == 64
    assert len(base64.urlsafe_b64decode(secrets.airflow_fernet_key)) == 32


def test_they_do_not_show_when_printed(tmp_path: Path) -> None:
    """The repr, which ends up in logs, holds no secret."""
    secrets = load_or_make(tmp_path)
    assert secrets.airflow_password not in repr(secrets)


def test_a_damaged_file_is_never_replaced(tmp_path: Path) -> None:
    """New keys would lock the user out of the data that the old ones protect, so it is an error."""
    write_private(tmp_path / "secrets.json", '{"blob_key": "x"}')
    with pytest.raises(Broken, match="blob_account"):
        load_or_make(tmp_path)
