import threading

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.steps_in_parallel import Step, run_all


def ignore(*_: object) -> None:
    return


def fail(message: str, advice: str = "") -> None:
    raise Broken(message, advice=advice)


def test_a_step_starts_after_what_it_needs() -> None:
    """The order of the list does not matter, only what needs what."""
    done: list[str] = []
    steps = [
        Step("c", lambda: done.append("c"), ("b",)),
        Step("b", lambda: done.append("b"), ("a",)),
        Step("a", lambda: done.append("a")),
    ]
    run_all(steps, ignore, ignore)
    assert done == ["a", "b", "c"]


def test_independent_steps_run_at_the_same_time() -> None:
    """Two steps that wait for each other both end."""
    meeting = threading.Barrier(2, timeout=10)
    run_all([Step("a", lambda: ignore(meeting.wait())), Step("b", lambda: ignore(meeting.wait()))], ignore, ignore)


def test_a_failure_stops_only_what_needs_it() -> None:
    """The others go on to their end, and the failure is raised as it was."""
    done: list[str] = []
    told: list[tuple[str, str]] = []
    steps = [
        Step("bad", lambda: fail("no disk\nand a log")),
        Step("after bad", lambda: done.append("after bad"), ("bad",)),
        Step("good", lambda: done.append("good")),
        Step("after good", lambda: done.append("after good"), ("good",)),
    ]
    with pytest.raises(Broken, match="no disk"):
        run_all(steps, lambda name, text: told.append((name, text)), ignore)
    assert done == ["good", "after good"]
    assert told == [("bad", "no disk")]


def test_all_failures_are_reported_together() -> None:
    """Two failures become one error with both messages and both pieces of advice."""
    with pytest.raises(Broken) as caught:
        run_all([Step("a", lambda: fail("no disk", "buy one")), Step("b", lambda: fail("no net", "plug in"))], ignore, ignore)
    for text in ("no disk", "no net", "buy one", "plug in"):
        assert text in str(caught.value)


def test_an_interruption_tells_running_steps_to_end() -> None:
    """On Ctrl-C those at work are told, and it is raised once they have ended."""
    told = threading.Event()
    ended: list[bool] = []

    def interrupt_us(*_: object) -> None:
        raise KeyboardInterrupt

    steps = [Step("long", lambda: ended.append(told.wait(10))), Step("bad", lambda: fail("x"))]
    with pytest.raises(KeyboardInterrupt):
        run_all(steps, interrupt_us, told.set)
    assert ended == [True]


def test_a_need_that_nobody_fulfils_is_a_mistake_of_ours() -> None:
    """It is found before anything runs."""
    done: list[str] = []
    with pytest.raises(ValueError, match="engin"):
        run_all([Step("a", lambda: done.append("a")), Step("b", lambda: None, ("engin",))], ignore, ignore)
    assert done == []
