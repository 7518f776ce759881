"""What fails a rollout at once or by its number: crashes, restarts, flapping, a name that cannot be."""

from nocturne.ports.cluster import Phase
from tests.unit.adapters.kubernetes.cluster_objects import deployment, ended, pod, waiting
from tests.unit.adapters.kubernetes.watcher import UNTOUCHED, UP, Watcher, look, once


def test_crash_loop() -> None:
    """A crash loop is a failure at once, though Kubernetes would go on for ever; the pod's log explains it."""
    crashed = pod(1, state=waiting("CrashLoopBackOff"), last=ended(1), restarts=1)
    judgement = once(look(deployment(updated=1, available=0, total=3), crashed))
    assert judgement.rollout.phase is Phase.FAILED
    assert not judgement.rollout.blameless
    assert judgement.rollout.restarts == 1
    assert judgement.rollout.message == (
        "0 of 2 replicas ready, 2 of the previous release still running: pod web-new-1: container web ended with exit code 1,"
        " 2 times by now"
    )
    assert judgement.trouble is not None
    assert (judgement.trouble.container, judgement.trouble.previous) == ("web", False)


def test_restarts() -> None:
    """Three restarts of a new container are a failure even while everything is ready; the log is the run's before."""
    again = (pod(1, ready=True, last=ended(3), restarts=1), pod(2, ready=True, last=ended(7), restarts=3))
    judgement = once(look(deployment(), *again))
    assert (judgement.rollout.phase, judgement.rollout.restarts) == (Phase.FAILED, 4)
    assert judgement.trouble is not None
    assert judgement.trouble.previous
    assert "3 times by now: pod web-new-2: container web ended with exit code 7" in judgement.rollout.message


def test_restarts_of_several() -> None:
    """One restart of each of many pods, as when a node starts again, is no failure."""
    many = [pod(number, ready=True, last=ended(255), restarts=1) for number in range(5)]
    rollout = once(look(deployment(5, 5, 5), *many)).rollout
    assert (rollout.phase, rollout.restarts) == (Phase.COMPLETE, 5)


def test_a_restart_before_it_was_complete() -> None:
    """What has ended and runs again is told, with the log of the run that ended; what did so long ago is not."""
    judgement = once(look(deployment(), pod(1, ready=True), pod(2, ready=True, last=ended(7), restarts=1)))
    assert judgement.rollout.phase is Phase.COMPLETE
    assert judgement.rollout.message == "2 of 2 replicas ready; before that, pod web-new-2: container web ended with exit code 7"
    assert judgement.trouble is not None
    assert (judgement.trouble.pod, judgement.trouble.previous) == ("web-new-2", True)
    old = pod(2, ready=True, last=ended(7), restarts=1, made="2026-10-22T15:00:00Z")
    assert once(look(deployment(), pod(1, ready=True), old)).rollout.message == "2 of 2 replicas ready"


def test_an_end_on_the_way() -> None:
    """Whose container has ended is asked for its last words at once: the rollout's deadline may come before another look."""
    for stopped in (pod(2, state={"terminated": ended(1)}), pod(2, last=ended(1), restarts=1)):
        judgement = once(look(deployment(updated=1, available=1), pod(1, ready=True), stopped))
        assert (judgement.rollout.phase, judgement.trouble is not None) == (Phase.PROGRESSING, True)
    judgement = once(look(deployment(updated=1, available=1), pod(1, ready=True), pod(2)))
    assert (judgement.rollout.phase, judgement.trouble) == (Phase.PROGRESSING, None)


def test_restarts_long_ago() -> None:
    """Only restarts since the rollout began count: a release that has run for a month may have been restarted now and then."""
    watcher = Watcher()
    for at, restarts, phase in [(0, 9, Phase.COMPLETE), (60, 11, Phase.COMPLETE), (120, 12, Phase.FAILED)]:
        old = pod(1, ready=True, last=ended(), restarts=restarts, made="2026-10-22T15:00:00Z")
        rollout = watcher.sees(at, look(deployment(), old, UP[1])).rollout
        assert (rollout.phase, rollout.restarts) == (phase, restarts)


def test_flapping() -> None:
    """A pod that stops being ready for the third time has failed; before, it may be a hiccup."""
    watcher, seen = Watcher(), deployment(available=1)
    for flap in range(3):
        assert watcher.sees(flap, look(seen, UP[0])).rollout.phase is Phase.PROGRESSING
        last = watcher.sees(flap + 0.5, look(seen, pod(1)))
    assert last.rollout.phase is Phase.FAILED
    assert "a pod stopped being ready 3 times" in last.rollout.message
    assert not last.rollout.blameless


def test_pods_that_go_do_not_flap() -> None:
    """A pod that was replaced has not flapped."""
    watcher = Watcher()
    for number in range(5):
        watcher.sees(number, look(UNTOUCHED, pod(number, ready=True)))
    assert watcher.memory.most_flaps == 0


def test_invalid_image_name() -> None:
    """An image whose name no registry can have is the release's own fault, at once."""
    bad = pod(1, state=waiting("InvalidImageName", "invalid reference format"), phase="Pending")
    rollout = once(look(UNTOUCHED, bad)).rollout
    assert (rollout.phase, rollout.blameless) == (Phase.FAILED, False)
