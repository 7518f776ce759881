"""Why a pod is not ready, in words."""

import asyncio
from typing import Any

import pytest

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.failure import explain
from nocturne.adapters.kubernetes.rollout import Judgement
from nocturne.adapters.kubernetes.trouble import Cause, Trouble, creation_trouble, gravest, pod_trouble, restart_trouble
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Phase, Rollout
from tests.unit.adapters.kubernetes.cluster_objects import (
    IMAGE,
    deployment,
    ended,
    over_quota,
    pod,
    unscheduled,
    waiting,
    warning,
)

PULLED = (
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": failed to resolve'
    f' reference "{IMAGE}": failed to do request: Head "http://localhost:5000/v2/web": dial tcp 127.0.0.1:5000: connection refused'
)
ABSENT = (
    f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}":'
    f" {IMAGE}: not found"
)


def trouble(described: dict[str, Any], *warnings: dict[str, Any]) -> Trouble:
    found = pod_trouble(described, warnings)
    assert found is not None
    return found


def test_ready() -> None:
    """A ready pod has no trouble, whatever was said of it before."""
    ready = pod(1, ready=True)
    assert pod_trouble(ready, [warning(ready, "Unhealthy", "Readiness probe failed")]) is None


@pytest.mark.parametrize(
    ("state", "cause", "blameless", "text"),
    [
        (waiting("ErrImagePull", ABSENT), Cause.IMAGE_PULL, True, f"cannot pull {IMAGE}: not found"),
        (waiting("InvalidImageName", "must be lowercase"), Cause.IMAGE_NAME, False, "InvalidImageName: must be lowercase"),
        (
            waiting("CreateContainerConfigError", 'configmap "nope" not found'),
            Cause.CONFIGURATION,
            True,
            'configmap "nope" not found',
        ),
        (
            waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            Cause.CANNOT_START,
            False,
            "image will run as root",
        ),
        (waiting("RunContainerError", "exec: no such file"), Cause.CANNOT_START, False, "exec: no such file"),
        (waiting("ContainerCreating"), Cause.STARTING, True, "has not started yet"),
        ({"terminated": ended(7)}, Cause.ENDED, False, "container web ended with exit code 7"),
        ({"running": {}}, Cause.UNREADY, False, "container web runs and is not ready yet"),
    ],
)
def test_state_of_a_container(state: dict[str, Any], cause: Cause, blameless: bool, text: str) -> None:
    """Each state of a container is told in words, and says whether the release is to blame."""
    found = trouble(pod(1, state=state))
    assert (found.cause, found.cause.blameless) == (cause, blameless)
    assert text in str(found)


def test_pull_that_backs_off() -> None:
    """Of a pull that is not tried just now, the event of its last failure tells the reason, without the image's repeated name."""
    backing_off = pod(1, state=waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))
    other = warning(backing_off, "Failed", "Error: ImagePullBackOff", "2026-11-22T15:09:00Z")
    found = trouble(backing_off, warning(backing_off, "Failed", PULLED), other)
    reason = 'failed to do request: Head "http://localhost:5000/v2/web": dial tcp 127.0.0.1:5000: connection refused'
    assert found.text == f"cannot pull {IMAGE}: {reason}"


def test_out_of_memory() -> None:
    """A container that the kernel killed is told with the memory that it may use."""
    killed = pod(1, state=waiting("CrashLoopBackOff"), last=ended(137, reason="OOMKilled"), restarts=2)
    found = trouble(killed)
    assert found.text == "container web was killed because it used more memory than it may (128Mi), 3 times by now"


def test_probe() -> None:
    """The newest event of a failing probe is told; other pods' events, and those that explain nothing, are not."""
    unready = pod(1)
    warnings = [
        warning(unready, "Unhealthy", "Startup probe failed", "2026-11-22T15:01:20Z"),
        warning(unready, "Unhealthy", "Readiness probe failed:\n HTTP probe failed with statuscode: 503"),
        warning(pod(2), "Unhealthy", "Liveness probe failed", "2026-11-22T15:01:59Z"),
        warning(unready, "MissingClusterDNS", "kubelet does not have ClusterDNS IP configured", "2026-11-22T15:01:59Z"),
    ]
    assert str(trouble(unready, *warnings)) == "pod web-new-1: Readiness probe failed: HTTP probe failed with statuscode: 503"


def test_running_after_a_crash() -> None:
    """A container that was started again is told with how its last run ended, and that run's log is the one to read."""
    found = trouble(pod(1, last=ended(7), restarts=1))
    assert found.text == "container web runs and is not ready yet (before that, container web ended with exit code 7)"
    assert found.previous


def test_run_to_read() -> None:
    """The log to read is that of the run that ended: the one before while a new one is running, else the newest."""
    again = restart_trouble(pod(1, ready=True, last=ended(7), restarts=2))
    over = restart_trouble(pod(1, state={"terminated": ended(8)}, last=ended(7), restarts=2))
    assert again is not None
    assert over is not None
    assert (again.text, again.previous) == ("container web ended with exit code 7", True)
    assert (over.text, over.previous) == ("container web ended with exit code 8", False)
    assert restart_trouble(pod(1, ready=True)) is None


def test_volume() -> None:
    """A pod whose volume cannot be mounted says so instead of starting silently."""
    starting = pod(1, state=waiting("ContainerCreating"))
    found = trouble(starting, warning(starting, "FailedMount", 'secret "key" not found'))
    assert (found.text, found.cause, found.usual) == ('secret "key" not found', Cause.STARTING, False)


def test_init_container() -> None:
    """A container that prepares the pod is looked at too; one that has done its work is no trouble."""
    preparing = pod(1, state=waiting("PodInitializing"))
    done = {"name": "prepare", "image": IMAGE, "ready": True, "state": {"terminated": ended(0, reason="Completed")}}
    preparing["status"]["initContainerStatuses"] = [done]
    assert trouble(preparing).cause is Cause.STARTING
    done["state"] = waiting("CrashLoopBackOff")
    assert trouble(preparing).cause is Cause.CRASH_LOOP


def test_no_node() -> None:
    """A pod that no node takes says why."""
    assert trouble(unscheduled()).text == "no node takes it: 0/1 nodes are available: 1 Insufficient cpu."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (over_quota()["message"], Cause.QUOTA),
        ('pods "web" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', Cause.REFUSED),
        ('admission webhook "policy.example.com" denied the request: no', Cause.REFUSED),
    ],
)
def test_no_more_pods(text: str, cause: Cause) -> None:
    """A used-up quota is nobody's fault; a pod that a policy refuses is the release's."""
    found = creation_trouble(deployment(conditions=({**over_quota(), "message": text},)))
    assert found is not None
    assert (found.cause, found.text) == (cause, f"the cluster creates no more pods: {text}")
    assert creation_trouble(deployment(conditions=({**over_quota(), "status": "False"},))) is None


def test_gravest() -> None:
    """What the release is to blame for is told before what it is not, and always of the same pod."""
    crashed = Trouble(Cause.CRASH_LOOP, "", "web-2")
    assert gravest([Trouble(Cause.IMAGE_PULL, "", "web-1"), crashed, Trouble(Cause.CRASH_LOOP, "", "web-3")]) is crashed
    assert gravest([]) is None


def test_long_message() -> None:
    """A message of many lines becomes one, with its beginning and its end."""
    unready = pod(1)
    text = trouble(unready, warning(unready, "Unhealthy", "begin " + "x" * 1000 + "\n end")).text
    assert len(text) < 320
    assert text.startswith("begin xx")
    assert text.endswith("xx end")


class LogApi(KubernetesApi):
    """A cluster that has logs by (container's) previous, or is away."""

    def __init__(self, logs: dict[bool, str] | None) -> None:
        super().__init__(Access(None), "shop")
        self._logs = logs

    async def log(self, pod: str, container: str, lines: int, previous: bool = False) -> str:
        if self._logs is None:
            raise Broken("the cluster does not answer")
        return self._logs.get(previous, "")


@pytest.mark.parametrize(
    ("logs", "previous", "message"),
    [
        (
            {False: "starting\n\ncannot read model.onnx\n"},
            False,
            "; last log lines of pod web-1:\n  starting\n  cannot read model.onnx",
        ),
        ({False: "now", True: "before"}, True, "; last log lines of pod web-1:\n  before"),
        (
            {False: "now", True: "unable to retrieve container logs for containerd://25140c"},
            True,
            "; last log lines of pod web-1:\n  now",
        ),
        ({False: "now"}, True, "; last log lines of pod web-1:\n  now"),
        ({}, False, "; its log is empty"),
        (None, False, "; its log could not be read (the cluster does not answer)"),
    ],
)
def test_last_words(logs: dict[bool, str] | None, previous: bool, message: str) -> None:
    """A failure is told with the last log lines of the run that failed, or why there are none."""
    judgement = Judgement(Rollout(Phase.FAILED, 0, 2, "it crashed"), Trouble(Cause.ENDED, "", "web-1", "web", previous))
    assert asyncio.run(explain(LogApi(logs), judgement)).message == f"it crashed{message}"


@pytest.mark.parametrize("cause", [Cause.ENDED, Cause.CRASH_LOOP])
def test_the_last_words_of_a_run_that_was_followed_by_another(cause: Cause) -> None:
    """A container that had ended when it was seen and has begun anew when its log is read is told by the run that ended."""
    judgement = Judgement(Rollout(Phase.FAILED, 0, 2, "it crashed"), Trouble(cause, "", "web-1", "web"))
    api = LogApi({False: "starting", True: "starting\nout of cards"})
    assert asyncio.run(explain(api, judgement)).message.endswith("web-1:\n  starting\n  out of cards")


def test_nothing_to_read() -> None:
    """Where no container has run there is no log to ask for."""
    judgement = Judgement(Rollout(Phase.FAILED, 0, 2, "no room"), Trouble(Cause.UNSCHEDULABLE, "", "web-1"))
    assert asyncio.run(explain(LogApi(None), judgement)) is judgement.rollout
