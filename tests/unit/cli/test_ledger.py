import json
import stat
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from nocturne.adapters.sql_ledger import SqlLedger, schema
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.cli import ledger as ledger_commands
from nocturne.domain.errors import Broken, Conflict, NotFound
from tests.fakes.inputs import some_inputs


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the commands find the ledger; nothing is there yet."""
    monkeypatch.setenv("NOCTURNE_HOME", str(tmp_path))
    return point_at(monkeypatch, tmp_path / "ledger.db")


def point_at(monkeypatch: pytest.MonkeyPatch, file: Path) -> str:
    url = f"sqlite:///{file}"
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_LEDGER", json.dumps({"conn_type": "generic", "extra": {"url": url}}))
    return url


def call(*words: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(ledger_commands.commands, list(words), input=given)


def test_looking_changes_nothing(url: str, tmp_path: Path) -> None:
    """A ledger that is not there has revision base, and still is not there afterwards."""
    found = json.loads(call("revision", "--json").stdout)
    assert (found["revision"], found["known"]) == ("base", schema.revisions())
    assert not (tmp_path / "ledger.db").exists()
    assert "base" in call("revision").stdout


def test_forward_and_back(url: str) -> None:
    """Each way is told with both revisions; going back asks first, and a no changes nothing."""
    assert f"from revision base to {schema.HEAD}" in call("upgrade").stdout
    assert f"holds revision {schema.HEAD} already" in call("upgrade").stdout
    refused = call("downgrade", "base", given="n\n")
    assert (refused.exit_code, schema.current(Database(url))) == (1, schema.HEAD)
    assert "lose what that cannot hold" in refused.stderr
    assert json.loads(call("downgrade", "base", "--yes", "--json").stdout)["revision"] == "base"
    assert schema.current(Database(url)) is None
    assert isinstance(call("downgrade", "base", "--yes").exception, Conflict)
    assert isinstance(call("downgrade", "9", "--yes").exception, NotFound)


def test_a_ledger_moves_by_way_of_a_file(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exported and imported elsewhere, the releases are there; the file is its owner's alone and is never overwritten."""
    release = SqlLedger.open(url, SystemClock()).open_release(some_inputs(), {})
    file = tmp_path / "ledger.jsonl"
    assert "1 releases" in call("export", str(file)).stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert isinstance(call("export", str(file)).exception, Conflict)
    other = point_at(monkeypatch, tmp_path / "other.db")
    assert json.loads(call("import", str(file), "--json").stdout)["rows"]["releases"] == 1
    assert SqlLedger(other, SystemClock()).releases() == [release]
    assert isinstance(call("import", str(file)).exception, Conflict)


def test_a_ledger_moves_through_a_pipe(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With - the file is standard output and input, and nothing else is printed there."""
    SqlLedger.open(url, SystemClock()).quarantine("r-1", "reason", "run")
    exported = call("export", "-")
    assert "1 quarantine" in exported.stderr
    other = point_at(monkeypatch, tmp_path / "other.db")
    assert "1 quarantine" in call("import", "-", given=exported.stdout_bytes).stdout
    assert len(SqlLedger(other, SystemClock()).quarantined()) == 1


def test_files_that_cannot_be_used(url: str, tmp_path: Path) -> None:
    """A file that is not there or cannot be made is told by its path; an export that fails leaves no file behind."""
    assert "cannot be read" in str(call("import", str(tmp_path / "none")).exception)
    failed = call("export", str(tmp_path / "file"))
    assert isinstance(failed.exception, Broken)
    assert "`nocturne ledger upgrade` first" in str(failed.exception)
    assert not (tmp_path / "file").exists()
    call("upgrade")
    assert "cannot be made" in str(call("export", str(tmp_path / "no" / "file")).exception)


def test_an_export_onto_a_full_disk(url: str) -> None:
    """A disk without room is told as what it is."""
    call("upgrade")
    with pytest.raises(Broken, match="No space left on device"), ledger_commands._written_to(Path("/dev/full")) as stream:
        stream.write(b"x")
