"""From an app's service and a release to the specification that the Engine API takes.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Service/operation/ServiceCreate
"""

from typing import Any

from nocturne.adapters.swarm import labels
from nocturne.adapters.swarm.compose import AppService, HealthCheck, Resources, Tmpfs, UpdatePolicy
from nocturne.ports.cluster import DesiredState


def service_spec(app: AppService, desired: DesiredState, name: str, network: str) -> dict[str, Any]:
    """The whole specification of the service `name` on an overlay network."""
    task = {
        "ContainerSpec": _container(app, desired),
        "Resources": {"Limits": _resources(app.limits), "Reservations": _resources(app.reservations)},
        "Networks": [{"Target": network}],
    }
    return {
        "Name": name,
        "Labels": labels.service_labels(desired),
        "TaskTemplate": task,
        "Mode": {"Replicated": {"Replicas": app.replicas}},
        "UpdateConfig": _policy(app.update),
        "RollbackConfig": _policy(app.rollback),
        # Each task has its own address in the DNS. A virtual address would need IPVS, and hide which task answered.
        "EndpointSpec": {"Mode": "dnsrr"},
    }


def with_next_attempt(spec: dict[str, Any], desired: DesiredState) -> dict[str, Any]:
    """The specification in force, knowing which attempt follows it. No task is replaced for a label of the service."""
    return {**spec, "Labels": {**(spec.get("Labels") or {}), labels.NEXT: labels.attempt(desired)}}


def _container(app: AppService, desired: DesiredState) -> dict[str, Any]:
    container: dict[str, Any] = {
        "Image": desired.image,
        # A container's label replaces tasks when it changes, so it says only what changes with every update anyway.
        "Labels": {labels.RELEASE: desired.release_id, labels.ATTEMPT: labels.attempt(desired)},
        "Env": [f"{name}={value}" for name, value in sorted(app.environment.items())],
        "StopGracePeriod": app.stop_grace_period,
        "ReadOnly": app.read_only,
        "CapabilityDrop": list(app.cap_drop),
        "Mounts": [_mount(tmpfs) for tmpfs in app.tmpfs],
    }
    if app.user:
        container["User"] = app.user
    if app.healthcheck:
        container["Healthcheck"] = _healthcheck(app.healthcheck)
    return container


def _healthcheck(check: HealthCheck) -> dict[str, Any]:
    return {
        "Test": list(check.test),
        "Interval": check.interval,
        "Timeout": check.timeout,
        "StartPeriod": check.start_period,
        "Retries": check.retries,
    }


def _mount(tmpfs: Tmpfs) -> dict[str, Any]:
    options = {key: value for key, value in (("SizeBytes", tmpfs.size), ("Mode", tmpfs.mode)) if value}
    return {"Type": "tmpfs", "Target": tmpfs.target, "TmpfsOptions": options}


def _resources(resources: Resources) -> dict[str, int]:
    return {key: value for key, value in (("NanoCPUs", resources.nano_cpus), ("MemoryBytes", resources.memory)) if value}


def _policy(policy: UpdatePolicy) -> dict[str, Any]:
    return {
        "Order": policy.order,
        "Parallelism": policy.parallelism,
        "Delay": policy.delay,
        "FailureAction": policy.failure_action,
        "Monitor": policy.monitor,
        "MaxFailureRatio": policy.max_failure_ratio,
    }
