"""How a failure is explained to the operator."""

from typing import Any

from nocturne.adapters.swarm.failure import explain
from nocturne.adapters.swarm.rollout import Judgement
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Phase, Rollout
from tests.unit.adapters.swarm.engine_answers import FakeEngine, task

WHY = Rollout(Phase.FAILED, 0, 2, "Swarm rolled it back")


def explained(engine: FakeEngine, *failed: dict[str, Any]) -> str:
    return explain(engine, Judgement(WHY, failed=failed, tried=len(failed) + 1))


def test_exit_code_and_last_words() -> None:
    """A container that ended is explained by its exit code and the last lines of its log."""
    engine = FakeEngine({"c1": ({"State": {}}, [f"line {number}" for number in range(20)])})
    message = explained(engine, task("failed", error="task: non-zero exit (3)", container="c1", code=3), task("failed"))
    first, *lines = message.splitlines()
    assert first == "Swarm rolled it back: 2 of 3 tasks failed: task: non-zero exit (3); last log lines:"
    assert lines == [f"  line {number}" for number in range(12, 20)]


def test_health_check() -> None:
    """An unhealthy container is explained by its failed health check, though it ended with 0."""
    log = [{"ExitCode": 1, "Output": "readyz answered 503:\n no model"}, {"ExitCode": 0, "Output": "fine"}]
    engine = FakeEngine({"c1": ({"State": {"Health": {"Status": "unhealthy", "Log": log}}}, [])})
    message = explained(engine, task("complete", container="c1"))
    assert message.endswith("unhealthy: its health check ended with 1 and said: readyz answered 503: no model")


def test_a_health_check_that_was_cut_off() -> None:
    """A check that was killed with its container said nothing: the one before it is told."""
    log = [{"ExitCode": 1, "Output": "readyz answered 503"}, {"ExitCode": 137, "Output": ""}]
    engine = FakeEngine({"c1": ({"State": {"Health": {"Status": "unhealthy", "Log": log}}}, [])})
    assert explained(engine, task("complete", container="c1")).endswith("ended with 1 and said: readyz answered 503")


def test_a_health_check_that_met_a_crash() -> None:
    """A container that ended by itself under its health check is explained by how it ended; what the check said comes after."""
    log = [{"ExitCode": 137, "Output": "ready"}, {"ExitCode": -1, "Output": "cannot exec in a stopped state"}]
    engine = FakeEngine({"c1": ({"State": {"Health": {"Status": "unhealthy", "Log": log}}}, [])})
    message = explained(engine, task("failed", error="task: non-zero exit (7)", container="c1", code=7))
    assert "1 of 2 tasks failed: task: non-zero exit (7); unhealthy: its health check ended with 137" in message


def test_a_health_check_that_met_the_end() -> None:
    """A check whose app went away under it is not the reason: what most checks said is."""
    ready, gone = {"ExitCode": 1, "Output": "readyz answered 503"}, {"ExitCode": 1, "Output": "Traceback: connection reset"}
    engine = FakeEngine({"c1": ({"State": {"Health": {"Status": "unhealthy", "Log": [ready, ready, gone]}}}, [])})
    assert explained(engine, task("complete", container="c1")).endswith("ended with 1 and said: readyz answered 503")


def test_no_container() -> None:
    """A task that never had a container is explained by its own error."""
    message = explained(FakeEngine({}), task("rejected", error="No such image: app@sha256:1"))
    assert message == "Swarm rolled it back: 1 of 2 tasks failed: No such image: app@sha256:1"


def test_container_elsewhere() -> None:
    """A container that is gone, or on another node, leaves the task's error."""
    message = explained(FakeEngine({}), task("failed", error="task: non-zero exit (3)", container="gone", code=3))
    assert message == "Swarm rolled it back: 1 of 2 tasks failed: task: non-zero exit (3)"


def test_engine_away() -> None:
    """An engine that goes away meanwhile is mentioned, beside what is known."""

    class AwayEngine(FakeEngine):
        def container(self, container_id: str) -> dict[str, Any] | None:
            raise Broken("found no answer")

    message = explained(AwayEngine({}), task("failed", error="boom", container="c1", code=9))
    assert (
        message
        == "Swarm rolled it back: 1 of 2 tasks failed: boom (exit code 9); its container could not be looked at (found no answer)"
    )
