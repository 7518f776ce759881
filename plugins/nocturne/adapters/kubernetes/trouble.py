"""Why a pod is not ready, in words, and whether the release is to blame. Pure: pods and events as the API describes them.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-state-waiting; the kubelet's words are in
pkg/kubelet/images/types.go and pkg/kubelet/kuberuntime/kuberuntime_container.go of Kubernetes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

Object = dict[str, Any]

_LONGEST = 300


class Cause(StrEnum):
    """What is in the way, the gravest first."""

    CRASH_LOOP = "crash loop"
    IMAGE_NAME = "image name"
    CANNOT_START = "cannot start"
    ENDED = "ended"
    REFUSED = "refused"
    UNREADY = "unready"
    IMAGE_PULL = "image pull"
    CONFIGURATION = "configuration"
    QUOTA = "quota"
    UNSCHEDULABLE = "unschedulable"
    STARTING = "starting"

    @property
    def blameless(self) -> bool:
        """Whether it says nothing about the release: none of its code has run, for a reason that lies outside of it."""
        return self in _BLAMELESS


_ORDER = list(Cause)
_BLAMELESS = {Cause.IMAGE_PULL, Cause.CONFIGURATION, Cause.QUOTA, Cause.UNSCHEDULABLE, Cause.STARTING}
_WAITING = {
    "CrashLoopBackOff": Cause.CRASH_LOOP,
    "InvalidImageName": Cause.IMAGE_NAME,
    "ErrImagePull": Cause.IMAGE_PULL,
    "ImagePullBackOff": Cause.IMAGE_PULL,
    "ErrImageNeverPull": Cause.IMAGE_PULL,
    "ImageInspectError": Cause.IMAGE_PULL,
    "RegistryUnavailable": Cause.IMAGE_PULL,
    "CreateContainerConfigError": Cause.CONFIGURATION,
    "CreateContainerError": Cause.CANNOT_START,
    "RunContainerError": Cause.CANNOT_START,
    "StartError": Cause.CANNOT_START,
}
_BEFORE_START = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedMapVolume")
"""Events that tell why containers are not even created. Others, such as a node's DNS settings, explain nothing."""
_AGAINST_THE_POD = ("violates PodSecurity", "pod security policy", "denied the request", "is invalid")
"""How a server says that it will never create such a pod, whatever is free."""


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod from being ready. container: whose log tells more, empty when none does. previous: the log
    of its run before this one does. usual: a healthy pod goes through it too, for a while. began: when its container started for
    the first time, or a node took the pod, as the API writes times; else empty.
    """

    cause: Cause
    text: str
    pod: str = ""
    container: str = ""
    previous: bool = False
    usual: bool = False
    began: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether a run of its container is over, whose log tells why."""
        return self.previous or self.cause in (Cause.ENDED, Cause.CRASH_LOOP)

    def __str__(self) -> str:
        return f"pod {self.pod}: {self.text}" if self.pod else self.text


def gravest(troubles: Iterable[Trouble]) -> Trouble | None:
    """The one to tell first, None when there is none."""
    return min(troubles, key=lambda trouble: (_ORDER.index(trouble.cause), trouble.pod), default=None)


def pod_trouble(pod: Object, warnings: Iterable[Object]) -> Trouble | None:
    """What keeps this pod from being ready, None when it is. warnings: events of type Warning, of any object."""
    if is_ready(pod):
        return None
    told = [event for event in warnings if event.get("involvedObject", {}).get("uid") == pod["metadata"]["uid"]]
    found = [trouble for status in container_statuses(pod) if (trouble := _container_trouble(pod, status, told))]
    if found:
        return gravest(found)
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _of(pod, Cause.UNSCHEDULABLE, f"no node takes it: {condition.get('message') or condition.get('reason')}")
    hindered = _line(_newest(told, _BEFORE_START))
    return replace(_of(pod, Cause.STARTING, hindered or "has not started yet", usual=not hindered), began=_taken_at(pod))


def creation_trouble(deployment: Object) -> Trouble | None:
    """Why the cluster creates no more pods, None when nothing keeps it."""
    for condition in deployment.get("status", {}).get("conditions") or []:
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            text = str(condition.get("message") or condition.get("reason"))
            refused = any(sign in text for sign in _AGAINST_THE_POD)
            return Trouble(Cause.REFUSED if refused else Cause.QUOTA, f"the cluster creates no more pods: {_line(text)}")
    return None


def is_ready(pod: Object) -> bool:
    """Whether the pod takes requests."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def container_statuses(pod: Object) -> list[Object]:
    """The state of each container, those that prepare the pod first."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _container_trouble(pod: Object, status: Object, told: list[Object]) -> Trouble | None:
    name, state = str(status["name"]), status.get("state") or {}
    if "waiting" in state:
        return _waiting_trouble(pod, status, told)
    if "terminated" in state:
        prepared = status in (pod["status"].get("initContainerStatuses") or []) and state["terminated"].get("exitCode") == 0
        return None if prepared else _of(pod, Cause.ENDED, _end(pod, name, state["terminated"]), name)
    if "running" in state and not status.get("ready"):
        last = (status.get("lastState") or {}).get("terminated")
        probe = _line(_newest(told, ("Unhealthy",)))
        again = f" (before that, {_end(pod, name, last)})" if last else ""
        text = f"{probe or f'container {name} runs and is not ready yet'}{again}"
        found = _of(pod, Cause.UNREADY, text, name, previous=bool(last), usual=not probe and not last)
        return found if last else replace(found, began=str(state["running"].get("startedAt") or ""))
    return None


def _taken_at(pod: Object) -> str:
    """When a node took the pod."""
    conditions = pod.get("status", {}).get("conditions") or []
    taken = [each for each in conditions if each["type"] == "PodScheduled" and each["status"] == "True"]
    return str((taken[0] if taken else {}).get("lastTransitionTime") or pod["metadata"].get("creationTimestamp") or "")


def _waiting_trouble(pod: Object, status: Object, told: list[Object]) -> Trouble | None:
    name, waiting = str(status["name"]), status["state"]["waiting"]
    reason, message = str(waiting.get("reason", "")), _line(str(waiting.get("message") or ""))
    cause = _WAITING.get(reason)
    if cause is Cause.CRASH_LOOP:
        last = (status.get("lastState") or {}).get("terminated") or {}
        times = int(status.get("restartCount", 0)) + 1
        return _of(pod, cause, f"{_end(pod, name, last)}, {times} times by now", name)
    if cause is Cause.IMAGE_PULL:
        # The two messages take turns, and "Back-off pulling" says less than the event of the pull that failed.
        text = _newest(told, ("Failed",), "Failed to pull image") or str(waiting.get("message") or reason)
        return _of(pod, cause, f"cannot pull {status['image']}: {_end_of_pull(text, str(status['image']))}")
    if cause is Cause.CONFIGURATION and "runAsNonRoot" in message:
        cause = Cause.CANNOT_START
    return _of(pod, cause, f"container {name}: {reason}: {message}") if cause else None


def _end_of_pull(text: str, image: str) -> str:
    """What the runtime says after it has named the image for the last time, which it does up to four times."""
    return _line(text.rpartition(f'"{image}": ')[2].removeprefix(f"{image}: "))


def _end(pod: Object, container: str, terminated: Object) -> str:
    code, reason = terminated.get("exitCode"), str(terminated.get("reason", ""))
    if reason == "OOMKilled":
        spec: Object = next((each for each in pod["spec"]["containers"] if each["name"] == container), {})
        limit = spec.get("resources", {}).get("limits", {}).get("memory")
        return f"container {container} was killed because it used more memory than it may ({limit or 'the node has'})"
    message = _line(str(terminated.get("message") or ""))
    return f"container {container} ended with exit code {code}{f' ({message})' if message else ''}"


def restart_trouble(pod: Object) -> Trouble | None:
    """How the last run of one of its containers ended, None where none has been started again."""
    for status in container_statuses(pod):
        state, name = status.get("state") or {}, str(status["name"])
        ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        if ended and status.get("restartCount"):
            # Only a container that runs again has a log of its own beside the one of the run that ended.
            return _of(pod, Cause.ENDED, _end(pod, name, ended), name, previous="running" in state)
    return None


def _of(pod: Object, cause: Cause, text: str, container: str = "", *, previous: bool = False, usual: bool = False) -> Trouble:
    return Trouble(cause, text, str(pod["metadata"]["name"]), container, previous, usual)


def _newest(events: list[Object], reasons: tuple[str, ...], begins: str = "") -> str:
    fitting = [event for event in events if event.get("reason") in reasons and str(event.get("message", "")).startswith(begins)]
    return str(max(fitting, key=_when)["message"]) if fitting else ""


def _when(event: Object) -> str:
    # Times in one form sort as text; which of the fields is set depends on who has written the event.
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp", ""))


def _line(text: str) -> str:
    line = " ".join(text.split())
    # The runtime's messages begin with what was wanted and end with what was in the way.
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
