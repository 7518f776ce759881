"""How a rollout is judged from one look."""

from typing import Any

import pytest

from nocturne.adapters.swarm.rollout import Judgement, Look, judge
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Phase
from tests.unit.adapters.swarm.engine_answers import DESIRED, MINE, OLD, service, task


def judged(service: dict[str, Any], *tasks: dict[str, Any]) -> Judgement:
    return judge(DESIRED, Look(service, list(tasks)))


def test_complete() -> None:
    """A finished update with all replicas running, and nothing else running, is complete."""
    judgement = judged(service(update="completed"), task("running"), task("running"), task("shutdown", OLD))
    assert judgement.rollout.phase is Phase.COMPLETE
    assert (judgement.rollout.ready, judgement.rollout.wanted) == (2, 2)
    assert not judgement.fresh


def test_first_deployment_complete() -> None:
    """Without any update the tasks alone decide."""
    judgement = judged(service(), task("running"), task("running"))
    assert judgement.rollout.phase is Phase.COMPLETE
    assert judgement.fresh


@pytest.mark.parametrize(
    ("update", "tasks", "message"),
    [
        ("updating", [task("running"), task("running")], "2 of 2 replicas ready, Swarm watches them for a while"),
        (
            "updating",
            [task("running"), task("starting"), task("running", OLD)],
            "1 of 2 replicas ready, 1 of the previous release still running",
        ),
        (
            "completed",
            [task("running"), task("running"), task("running", OLD)],
            "2 of 2 replicas ready, 1 of the previous release still running",
        ),
        ("completed", [task("running"), task("failed"), task("preparing")], "1 of 2 replicas ready"),
        ("updating", [task("failed"), task("failed"), task("failed")], "0 of 2 replicas ready"),
        ("", [], "0 of 2 replicas ready"),
    ],
)
def test_progressing(update: str, tasks: list[dict[str, Any]], message: str) -> None:
    """While Swarm updates, replicas are missing, or old ones still run, the rollout goes on."""
    judgement = judged(service(update=update), *tasks)
    assert (judgement.rollout.phase, judgement.rollout.message) == (Phase.PROGRESSING, message)


@pytest.mark.parametrize("update", ["rollback_started", "rollback_completed", "rollback_paused"])
def test_rolled_back(update: str) -> None:
    """The previous specification, announced this attempt and with a rollback behind it, means that the attempt failed."""
    back = service("r-old", OLD, "old", update, follows=MINE)
    judgement = judged(back, task("running", OLD), task("running", OLD), task("failed", second=3), task("rejected", second=5))
    assert judgement.rollout.phase is Phase.FAILED
    assert [found["ID"] for found in judgement.failed] == ["task-5", "task-3"]
    assert judgement.tried == 2


def test_rolled_back_by_hand() -> None:
    """Where no task explains the rollback, Swarm's remark does."""
    judgement = judged(service("r-old", OLD, "old", "rollback_completed", follows=MINE), task("running", OLD))
    assert judgement.rollout.message == "Swarm rolled it back (manually requested rollback)"


def test_previous_release_after_a_rollback() -> None:
    """The release that a rollback put back is complete at once, whatever became of the other."""
    back = service(update="rollback_completed", follows="r-bad/night-8")
    judgement = judged(back, task("running"), task("running"), task("failed", "r-bad/night-8"))
    assert judgement.rollout.phase is Phase.COMPLETE


@pytest.mark.parametrize(
    "found",
    [
        service("r-else", "r-else/x", "else", follows=MINE),
        service("r-else", "r-else/x", "else", "rollback_completed", follows="r-new/another-run"),
        service("r-else", "r-else/x", "else", "completed"),
        service(image="somebody changed it by hand"),
    ],
)
def test_something_else(found: dict[str, Any]) -> None:
    """A service that runs something else, for another reason than a rollback of this attempt, is no failure of the release."""
    with pytest.raises(Broken, match="somebody deployed meanwhile"):
        judged(found)


def test_paused() -> None:
    """An update that Swarm paused has failed, even if all replicas happen to run."""
    assert judged(service(update="paused"), task("running"), task("running")).rollout.phase is Phase.FAILED


def test_rollback_that_failed() -> None:
    """A rollback that Swarm gave up is a failure of the release it was to put back, unless all of that runs after all."""
    back = service(update="rollback_paused")
    assert judged(back, task("running"), task("failed")).rollout.phase is Phase.FAILED
    assert judged(back, task("running"), task("running")).rollout.phase is Phase.COMPLETE


def test_fails_again_and_again() -> None:
    """Three failures close together end a first deployment; of another attempt, or far apart, they do not."""
    close = [task("failed", second=second) for second in (1, 20, 40)]
    assert judged(service(), *close, task("running")).rollout.phase is Phase.FAILED
    assert judged(service(), *close[:2], task("running")).rollout.phase is Phase.PROGRESSING
    far = [task("failed", second=second) for second in (0, 1000, 2000)]
    assert judged(service(), *far, task("running")).rollout.phase is Phase.PROGRESSING
    other = [task("failed", "r-new/night-6", second) for second in (1, 20, 40)]
    assert judged(service(), *other, task("running")).rollout.phase is Phase.PROGRESSING


def test_ended_without_an_error() -> None:
    """A container that ended with 0 explains a failure only where nothing failed with an error."""
    back = service("r-old", OLD, "old", "rollback_started", follows=MINE)
    assert [found["ID"] for found in judged(back, task("complete", second=1)).failed] == ["task-1"]
    assert [found["ID"] for found in judged(back, task("complete", second=1), task("failed", second=0)).failed] == ["task-0"]
