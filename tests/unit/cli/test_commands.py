import json
from pathlib import Path

import pytest

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.system_clock import SystemClock
from nocturne.cli.main import app, run
from nocturne.domain.records import Cause
from nocturne.domain.states import DeploymentState, ReleaseState
from tests.fakes.inputs import some_inputs


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlLedger:
    """A ledger that the commands find by its connection, in an empty home."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("NOCTURNE_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_LEDGER", json.dumps({"conn_type": "generic", "extra": {"url": url}}))
    return SqlLedger.open(url, SystemClock())


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code and output of a command, as a shell sees them."""
    monkeypatch.setattr("sys.argv", ["nocturne", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_no_releases(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty ledger says how to make a release."""
    assert call(monkeypatch, capsys, "releases") == (0, "No release yet: `nocturne release run --wait` makes one.\n", "")
    assert json.loads(call(monkeypatch, capsys, "releases", "--json")[1]) == []


def test_the_story_of_a_release(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`releases show` takes the start of an id and tells inputs, deployments and their events."""
    release = ledger.open_release(some_inputs(), {"compose.yaml": "services: {}"})
    deployment = ledger.open_deployment(release.id, "production", "nightly_release/1", Cause.NIGHT, "schedule", "")
    ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT)
    code, out, _ = call(monkeypatch, capsys, "releases", "show", release.id[:6], "--json")
    found = json.loads(out)
    assert (code, found["id"]) == (0, release.id)
    assert [event[1] for event in found["deployments"][0]["events"]] == ["planned", "rolling out"]
    assert release.id in call(monkeypatch, capsys, "releases", "show", release.id)[1]


def test_an_unknown_release(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not found is exit code 5 and a sentence, never a traceback."""
    code, out, err = call(monkeypatch, capsys, "releases", "show", "r-nothing")
    assert (code, out) == (5, "")
    assert err.startswith("not found: no release 'r-nothing'")
    assert "Traceback" not in err


def test_quarantine(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What was rejected is listed with its reason, and can be lifted once."""
    ledger.quarantine("r-1", "its tests fail", "nightly_release/1")
    assert json.loads(call(monkeypatch, capsys, "quarantine", "list", "--json")[1])[0]["reason"] == "its tests fail"
    assert call(monkeypatch, capsys, "quarantine", "lift", "r-1")[0] == 0
    assert call(monkeypatch, capsys, "quarantine", "lift", "r-1")[0] == 5


def test_resume(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A hold is lifted once; an environment without one, or an unknown one, is an error that says so."""
    ledger.hold("sandbox", "ada", "the digits look odd")
    assert json.loads(call(monkeypatch, capsys, "release", "resume", "sandbox", "--json")[1])["reason"] == "the digits look odd"
    assert call(monkeypatch, capsys, "release", "resume", "sandbox")[0] == 5
    code, _, err = call(monkeypatch, capsys, "release", "resume", "mars")
    assert code == 2
    assert "found no 'mars', expected one of kubernetes, sandbox" in err


def test_a_wrong_configuration(
    ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A wrong release.toml is exit code 2 with every fault."""
    file = tmp_path / "release.toml"
    file.write_text("name = 1\n")
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(file))
    code, _, err = call(monkeypatch, capsys, "releases")
    assert code == 2
    assert "name: found a number 1, expected a text" in err
    assert "judge.golden: missing" in err


def test_a_connection_that_is_no_json(
    ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable with half a connection is named, without its content."""
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", '{"conn_type": "fs", "password": "hidden"')
    code, out, err = call(monkeypatch, capsys, "models", "list")
    assert (code, out) == (2, "")
    assert "AIRFLOW_CONN_NOCTURNE_MODELS: found no JSON object" in err
    assert "hidden" not in err


def test_airflow_is_away(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that cannot be asked for because Airflow does not answer is exit code 4."""
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": 1, "login": "admin", "password": "hidden"}
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_AIRFLOW", json.dumps(connection))
    code, _, err = call(monkeypatch, capsys, "release", "run", "--wait")
    assert code == 4
    assert err.startswith("broken: Airflow does not answer at http://127.0.0.1:1")
    assert "hidden" not in err


def test_connections_of_the_sandbox(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a variable, a connection is read from the sandbox's file."""
    from nocturne.cli.workplace import connection

    text = json.dumps({"conn_type": "generic", "host": "a 'quoted' host", "extra": {"url": "x"}})
    (tmp_path / "connections.env").write_text("AIRFLOW_CONN_ONE='" + text.replace("'", "'\"'\"'") + "'\n")
    found = connection("one")
    assert (found.host, found.required("url")) == ("a 'quoted' host", "x")
    assert "quoted" in repr(found)


def test_every_command_explains_itself() -> None:
    """Each command and each option has a help text."""
    import click
    import typer.main

    def look(command: click.Command, path: str) -> list[str]:
        missing = [] if command.help else [path]
        missing += [f"{path} --{option.name}" for option in command.params if getattr(option, "help", "x") is None]
        children = getattr(command, "commands", {})
        return missing + [fault for name, child in children.items() for fault in look(child, f"{path} {name}")]

    assert look(typer.main.get_command(app), "nocturne") == []


def test_states_are_told_in_words(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows state and reason of each release."""
    release = ledger.open_release(some_inputs(), {})
    ledger.set_release_state(release.id, ReleaseState.REJECTED, "accuracy is 12%")
    out = call(monkeypatch, capsys, "releases")[1]
    assert "rejected" in out
    assert "accuracy is 12%" in out


def test_doctor_names_what_is_wrong(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each part that is out of reach or not configured is named with what to do; the others are well all the same."""
    nowhere = {"conn_type": "generic", "host": "http://127.0.0.1", "port": 1}
    for name in ("CODE", "REGISTRY", "AIRFLOW"):
        monkeypatch.setenv(f"AIRFLOW_CONN_NOCTURNE_{name}", json.dumps(nowhere))
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", json.dumps({**nowhere, "conn_type": "wasb"}))
    for name in ("ENGINE", "SANDBOX"):
        monkeypatch.setenv(f"AIRFLOW_CONN_NOCTURNE_{name}", json.dumps({"host": "unix:///nowhere.sock", "extra": {"service": "x"}}))
    code, out, _ = call(monkeypatch, capsys, "doctor", "--json")
    found = {item["part"]: item for item in json.loads(out)}
    assert code == 4
    # No connection for it: this installation does not ship there, and that is well.
    assert [part for part, item in found.items() if item["well"]] == ["ledger", "environment kubernetes"]
    assert "extra.container" in found["model store"]["message"]
    assert all(item["advice"] for item in found.values() if not item["well"])
