"""`nocturne models list` and `nocturne models answered`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nocturne.cli.models.answered import window
from nocturne.domain.inputs import Inputs
from tests.fakes.cluster import FAILED
from tests.fakes.world import FakeWorld
from tests.unit.cli.shell import Shell
from tests.unit.steps.nights import night, rollback

DAY = 86_400


@pytest.fixture
def history(fakes: FakeWorld) -> FakeWorld:
    """Model v1 is live from 20 November, v2 from the 21st; a night with v3 fails on the 22nd; on the 23rd v1 is put back."""
    for number, version in enumerate(("v1", "v2", "v3"), 1):
        if number > 1:
            blobs = {"model.onnx": version.encode(), "model.json": b"{}"}
            fakes.models.add(version, blobs, {"metrics": {"accuracy": 0.9}})
        if number == 3:
            fakes.production.script(next_release(fakes), FAILED)
        night(fakes, number)
        fakes.clock.advance(DAY)
    rollback(fakes, 4)
    fakes.clock.advance(60)
    return fakes


def next_release(world: FakeWorld) -> str:
    """The id of what the next night makes of the newest model."""
    known = world.ledger.releases()[0].inputs
    return Inputs(known.code, world.models.freeze(None), known.base_image, known.manifests_digest).release_id


def listed(shell: Shell, *words: str) -> dict[str, dict[str, Any]]:
    code, out, _ = shell.call("models", "list", "--json", *words)
    assert code == 0
    return {item["version"]: item for item in json.loads(out)}


def answered(shell: Shell, *words: str) -> list[dict[str, Any]]:
    code, out, err = shell.call("models", "answered", *words, "--json")
    assert (code, err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_each_version_tells_where_it_is_and_was(history: FakeWorld, shell: Shell) -> None:
    """Live, was live, never live: each with its times, and the latest is marked."""
    found = listed(shell)
    assert [(version, item["live"], item["latest"]) for version, item in found.items()] == [
        ("v3", [], True),
        ("v2", [], False),
        ("v1", ["production"], False),
    ]
    spans = {
        version: [(span["from"][:10], (span["until"] or "")[:10]) for span in item["history"]] for version, item in found.items()
    }
    assert spans == {
        "v3": [],
        "v2": [("2026-11-21", "2026-11-23")],
        "v1": [("2026-11-20", "2026-11-21"), ("2026-11-23", "")],
    }
    assert found["v2"]["metrics"] == {"accuracy": 0.9}


def test_the_table_says_the_same(history: FakeWorld, shell: Shell) -> None:
    """People read where and until when."""
    _, out, _ = shell.call("models", "list")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "production until 2026-11-23 02:00:0" in lines["v2"]
    assert "until" not in lines["v1"]
    assert "latest" in lines["v3"]
    assert "accuracy 0.9" in lines["v3"]


def test_why_a_version_was_rejected(history: FakeWorld, shell: Shell) -> None:
    """By what is in it or by its name; the first line is enough for people."""
    history.ledger.quarantine(history.models.manifest("v2").digest, "accuracy is 12%\nand more", "run")
    history.ledger.quarantine("digits/v3", "it is not signed", "run")
    found = listed(shell)
    assert [item["rejected"] for item in found.values()] == ["it is not signed", "accuracy is 12%\nand more", None]
    table = shell.call("models", "list")[1]
    assert "accuracy is 12%" in table
    assert "and more" not in table


def test_the_newest_are_listed(history: FakeWorld, shell: Shell) -> None:
    """A limit leaves out the oldest, and less than one is no limit."""
    assert list(listed(shell, "--limit", "2")) == ["v3", "v2"]
    assert shell.call("models", "list", "--limit", "0")[0] == 2


def test_many_versions_ask_the_ledger_no_more_often(history: FakeWorld, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """History is asked once for each environment, however many versions there are."""
    asked: list[str] = []
    changes = history.ledger.changes
    monkeypatch.setattr(history.ledger, "changes", lambda name: asked.append(name) or changes(name))
    monkeypatch.setattr(history.ledger, "release", None)
    for number in range(30):
        history.models.add(f"w{number}", {"model.onnx": str(number).encode()})
    assert len(listed(shell)) == 33
    assert asked == ["production"]


def test_no_model(fakes: FakeWorld, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store says how to publish."""
    monkeypatch.setattr(fakes.models, "versions", lambda limit: [])
    assert "nocturne models publish DIR" in shell.call("models", "list")[1]


def test_who_answered_at_a_moment(history: FakeWorld, shell: Shell) -> None:
    """Between two nights it is one model, with its digest and commit."""
    (found,) = answered(shell, "2026-11-20T14:30")
    first = history.ledger.releases()[-1]
    assert found == {
        "environment": "production",
        "release": first.id,
        "presence": "live",
        "from": found["from"],
        "until": found["until"],
        "model_version": "v1",
        "model_digest": first.inputs.model.digest,
        "commit": first.inputs.code.commit,
    }
    assert found["from"] <= "2026-11-20T14:30" < found["until"]


def test_who_answered_on_a_day(history: FakeWorld, shell: Shell) -> None:
    """All that were live at some time of the day, what was on its way, and what failed and was put back, told apart."""
    story = [[(item["model_version"], item["presence"]) for item in answered(shell, f"2026-11-{day}")] for day in (20, 21, 22, 23)]
    assert story == [
        [("v1", "rolling out"), ("v1", "live")],
        [("v1", "live"), ("v2", "rolling out"), ("v2", "live")],
        [("v2", "live"), ("v3", "failed")],
        [("v2", "live"), ("v1", "rolling out"), ("v1", "live")],
    ]


def test_an_offset_moves_the_day(history: FakeWorld, shell: Shell) -> None:
    """The same calendar day begins earlier east of Greenwich, and times are told as they are there."""
    assert [item["model_version"] for item in answered(shell, "2026-11-21T02:30+01:00")] == ["v1"]
    assert [item["model_version"] for item in answered(shell, "2026-11-21T02:30")] == ["v2"]
    _, out, _ = shell.call("models", "answered", "2026-11-21+14:00")
    assert "2026-11-20 16:00" in out
    assert "UTC+14:00" in out


def test_what_lasts(history: FakeWorld, shell: Shell) -> None:
    """What answers still has no end."""
    assert answered(shell, "2026-11-23T02:00:30")[-1]["until"] is None
    assert "now" in shell.call("models", "answered", "2026-11-23")[1]


@pytest.mark.parametrize(
    ("when", "told"), [("2026-11-19", "the first release came there at 2026-11-20T02:00"), ("2026-11-24", "has not come yet")]
)
def test_nobody_answered(history: FakeWorld, shell: Shell, when: str, told: str) -> None:
    """Before the first release, and in the future: exit code 5 and why."""
    code, out, err = shell.call("models", "answered", when)
    assert (code, out) == (5, "")
    assert told in err


def test_nothing_was_ever_released(fakes: FakeWorld, shell: Shell) -> None:
    """An empty ledger is exit code 5 too, and an unknown environment 2."""
    code, _, err = shell.call("models", "answered", "2026-11-19")
    assert (code, "nothing was ever released there" in err) == (5, True)
    assert shell.call("models", "answered", "2026-11-19", "--environment", "mars")[0] == 2


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-31", "20.11.2026", "", "9999-12-31"])
def test_what_is_no_date(fakes: FakeWorld, shell: Shell, text: str) -> None:
    """Exit code 2, with what was expected."""
    code, _, err = shell.call("models", "answered", text)
    assert code == 2
    assert "2026-11-20T14:30" in " ".join(err.split())


@pytest.mark.parametrize(
    ("text", "start", "seconds"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC), DAY),
        ("2026-11-20Z", datetime(2026, 11, 20, tzinfo=UTC), DAY),
        ("2026-11-20-05:30", datetime(2026, 11, 20, 5, 30, tzinfo=UTC), DAY),
        ("2026-11-20T02:00:00Z", datetime(2026, 11, 20, 2, tzinfo=UTC), 1e-6),
        ("2026-11-20 02:00", datetime(2026, 11, 20, 2, tzinfo=UTC), 1e-6),
        ("2026-11-20T02:00+02:00", datetime(2026, 11, 20, 0, tzinfo=UTC), 1e-6),
    ],
)
def test_days_and_moments(text: str, start: datetime, seconds: float) -> None:
    """A day is the whole of it, a moment just that, in UTC unless an offset says otherwise."""
    assert window(text) == (start, start + timedelta(seconds=seconds))
