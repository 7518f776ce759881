from typing import Any

import pytest
import typer

from nocturne.cli import exit_codes, follow
from nocturne.cli.airflow_api import TaskState
from nocturne.cli.follow import Audience
from nocturne.domain.errors import Broken, Inconclusive, NotFound, Rejected
from tests.fakes.scripted import Scripted

AWAY = Broken("Airflow does not answer at http://airflow.test: connection refused")


class FakeAirflow(Scripted):
    """A run whose states are given, one a look. looks: (state of the run, state of each task); the last one stays."""

    url = "http://airflow.test"

    def __init__(self, *looks: tuple[str, dict[str, str]], verdict: str | None = None, release: str = "") -> None:
        super().__init__()
        self._looks = list(looks)
        self._verdict = verdict
        self._release = release

    def run_state(self, dag_id: str, run_id: str) -> str:
        self._called("run_state")
        return self._looks[0][0]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        states = self._looks.pop(0)[1] if len(self._looks) > 1 else self._looks[0][1]
        return [TaskState(name, name, state, 1, None) for name, state in states.items()]

    def xcom(self, dag_id: str, run_id: str, task: str, key: str) -> Any:
        self._called("xcom")
        if (task, key) == ("settle", "verdict") and self._verdict:
            return {"verdict": self._verdict, "message": "said so", "release": self._release}
        return {"release": "r-frozen", "dry_run": False} if key == "plan" else None


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Told(Audience):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.waits: list[str] = []

    def working(self, task: str, state: str) -> None: ...

    def ended(self, task: str, state: str, message: str) -> None:
        self.ends.append(task)

    def waiting(self, reason: str) -> None:
        self.waits.append(reason)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(follow, "time", found)
    return found


def verdict_of(airflow: FakeAirflow, audience: Audience | None = None) -> dict[str, Any]:
    return follow.follow(airflow, "nightly_release", "1", "freeze_inputs", audience)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["success", "failed"])
def test_it_returns_with_the_verdict(state: str) -> None:
    """What a run removes after its verdict is not waited for: it may be kept for hours."""
    found = verdict_of(FakeAirflow(("running", {"settle": state, "retire": "deferred"}), verdict="verified"))
    assert (found["verdict"], found["state"]) == ("verified", state)


@pytest.mark.parametrize(("release", "expected"), [("r-kept", "r-kept"), ("", "r-frozen")])
def test_the_release_is_the_one_that_the_run_ended_with(release: str, expected: str) -> None:
    """A night that keeps the current model ships another release than it froze."""
    found = verdict_of(FakeAirflow(("running", {"settle": "success"}), verdict="verified", release=release))
    assert found["release"] == expected


def test_settling_that_is_tried_again_is_waited_for() -> None:
    """A verdict counts when settle has ended, not when it will be tried again."""
    looks = [("running", {"settle": "up_for_retry"}), ("running", {"settle": "running"}), ("running", {"settle": "failed"})]
    assert verdict_of(FakeAirflow(*looks, verdict="rejected"))["state"] == "failed"


def test_a_run_that_had_nothing_to_do() -> None:
    """Where settle never runs, the run's own end is waited for."""
    looks = [("running", {"settle": "skipped"}), ("success", {"settle": "skipped"})]
    assert verdict_of(FakeAirflow(*looks))["state"] == "success"


@pytest.mark.parametrize(
    ("verdict", "code"), [("verified", 0), ("unchanged", 0), ("rejected", 3), ("broken", 4), ("inconclusive", 7), ("?", 4)]
)
def test_each_verdict_has_its_exit_code(verdict: str, code: int) -> None:
    """Scripts can tell refused, broken and inconclusive apart."""
    with pytest.raises(typer.Exit) as left:
        follow.leave({"verdict": verdict})
    assert left.value.exit_code == code


def test_each_error_has_its_exit_code() -> None:
    """Inconclusive is a kind of broken, with a code of its own."""
    errors = (Rejected("x"), Broken("x"), NotFound("x"), Inconclusive("x"))
    assert [exit_codes.exit_code(error) for error in errors] == [3, 4, 5, 7]


def test_airflow_that_is_started_again_is_borne() -> None:
    """A run may end well while nobody can ask for it: each absence is told once, and each task's end too."""
    looks = [("running", {"test_code": "success"}), ("running", {"test_code": "success", "settle": "success"})]
    airflow, audience = FakeAirflow(*looks, verdict="verified"), Told()
    airflow.fail_next("run_state", AWAY, AWAY, AWAY)
    airflow.fail_next("xcom", AWAY)
    assert verdict_of(airflow, audience)["verdict"] == "verified"
    assert audience.ends == ["test_code", "settle"]
    assert audience.waits == [AWAY.message]


def test_a_second_absence_is_told_too(time: Time) -> None:
    """The time that is borne counts from the last answer, not from the first absence."""

    class Restarted(FakeAirflow):
        def run_state(self, dag_id: str, run_id: str) -> str:
            if time.now < 100 or 101 <= time.now < 201:
                raise AWAY
            return "success" if time.now >= 201 else "running"

    audience = Told()
    assert verdict_of(Restarted(("", {}), verdict="verified"), audience)["verdict"] == "verified"
    assert audience.waits == [AWAY.message] * 2


def test_airflow_that_stays_away(time: Time) -> None:
    """After two minutes the command ends as broken, and says that the run goes on and where to look."""
    airflow, audience = FakeAirflow(("running", {})), Told()
    airflow.fail_next("run_state", *[AWAY] * 1000)
    with pytest.raises(Broken, match="has not answered for 2 minutes") as raised:
        verdict_of(airflow, audience)
    assert time.now == pytest.approx(120, abs=1)
    assert audience.waits == [AWAY.message]
    assert "the run 1 goes on without this command" in raised.value.message
    assert "http://airflow.test/dags/nightly_release/runs/1" in raised.value.advice
    assert exit_codes.exit_code(raised.value) == 4


def test_what_does_not_pass_by_itself_is_not_borne(time: Time) -> None:
    """A run that was deleted is not waited for."""
    airflow = FakeAirflow(("running", {}))
    airflow.fail_next("run_state", NotFound("no such run"))
    with pytest.raises(NotFound):
        verdict_of(airflow)
    assert time.now == 0


def test_the_absence_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that the result stays alone on standard output."""
    airflow = FakeAirflow(("success", {"settle": "success"}), verdict="verified")
    airflow.fail_next("run_state", AWAY)
    verdict_of(airflow)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{AWAY.message}; the run goes on, asking again for up to 2 minutes" in captured.err
