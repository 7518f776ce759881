"""What the adapter writes on a service so that any later process knows what was asked for, and by which run.

Swarm's own rollback puts the previous specification back, labels and all, so a label that is written with an update is lost
with it. Therefore the release that is in force is told beforehand which attempt follows (NEXT): after a rollback its label
says which attempt it was that failed, and a killed process that comes back does not start it a second time.
"""

from typing import Any

from nocturne.ports.cluster import DesiredState

RELEASE = "nocturne.release"
"""On the service: the release id of this specification."""
ATTEMPT = "nocturne.attempt"
"""On service and containers: release id and run. Tasks keep it when the service has moved on."""
NEXT = "nocturne.next-attempt"
"""On the service: the attempt that was to replace this specification."""


def attempt(desired: DesiredState) -> str:
    """One run's try at one release. A retry of the run is the same attempt, another run is another."""
    return f"{desired.release_id}/{desired.annotations.get('run', '')}"


def service_labels(desired: DesiredState) -> dict[str, str]:
    """The annotations under the prefix `nocturne.`, with the release and the attempt."""
    annotations = {f"nocturne.{key}": value for key, value in desired.annotations.items()}
    return {**annotations, RELEASE: desired.release_id, ATTEMPT: attempt(desired)}


def release_of(service: dict[str, Any]) -> str:
    """The release id in a service's specification, empty when it was not made here."""
    return str(_labels(service).get(RELEASE, ""))


def image_of(service: dict[str, Any]) -> str:
    """The image in a service's specification."""
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def attempt_of(service: dict[str, Any]) -> str:
    """The attempt that made a service's specification."""
    return str(_labels(service).get(ATTEMPT, ""))


def attempt_of_task(task: dict[str, Any]) -> str:
    """The attempt that made a task."""
    return str((task["Spec"]["ContainerSpec"].get("Labels") or {}).get(ATTEMPT, ""))


def update_state(service: dict[str, Any]) -> str:
    """The state of the service's last update, empty when no task was ever replaced.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Service/operation/ServiceInspect
    """
    return str((service.get("UpdateStatus") or {}).get("State", ""))


def is_asked_for(service: dict[str, Any], desired: DesiredState) -> bool:
    """Whether the service's specification is the desired release, by id and image."""
    return release_of(service) == desired.release_id and image_of(service) == desired.image


def was_rolled_back(service: dict[str, Any], desired: DesiredState) -> bool:
    """Whether Swarm took this very attempt back.

    Any update by hand clears the update state, and so forgets that; what is then asked for again is started again.
    """
    return _labels(service).get(NEXT) == attempt(desired) and update_state(service).startswith("rollback")


def _labels(service: dict[str, Any]) -> dict[str, str]:
    return service["Spec"].get("Labels") or {}
