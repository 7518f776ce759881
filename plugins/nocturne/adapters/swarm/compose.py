"""The app's `compose.yaml`: a subset of the Compose specification that says how one service runs.

Exactly one service, with: environment, healthcheck, stop_grace_period, read_only, user, cap_drop, tmpfs, and under deploy
replicas, update_config, rollback_config and resources. No image: the release's goes there. Keys that begin with `x-` are ignored,
everything else is a fault. Unlike in Compose, an update that says nothing starts first and rolls back: what keeps users served
is the default.

Source: https://github.com/compose-spec/compose-spec/blob/main/05-services.md and deploy.md
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from nocturne.adapters.swarm.compose_section import ComposeSection
from nocturne.adapters.swarm.quantities import size_bytes

FILE = "compose.yaml"
_SECOND = 10**9


@dataclass(frozen=True)
class HealthCheck:
    """How the engine asks a container whether it is healthy. Times in nanoseconds; 0 leaves it to the image or the engine."""

    test: tuple[str, ...]
    interval: int
    timeout: int
    start_period: int
    retries: int


@dataclass(frozen=True)
class UpdatePolicy:
    """How tasks are replaced. delay, monitor: nanoseconds. max_failure_ratio: share of tasks (0 to 1)."""

    order: str
    parallelism: int
    delay: int
    failure_action: str
    monitor: int
    max_failure_ratio: float


@dataclass(frozen=True)
class Resources:
    """nano_cpus: billionths of a core. memory: bytes. 0 for none."""

    nano_cpus: int
    memory: int


@dataclass(frozen=True)
class Tmpfs:
    """A file system in memory. size: bytes, 0 for no limit. mode: permission bits, 0 for the engine's."""

    target: str
    size: int
    mode: int


@dataclass(frozen=True)
class AppService:
    """The one service of a compose file. healthcheck: None leaves the image's."""

    environment: dict[str, str]
    healthcheck: HealthCheck | None
    stop_grace_period: int
    read_only: bool
    user: str
    cap_drop: tuple[str, ...]
    tmpfs: tuple[Tmpfs, ...]
    replicas: int
    update: UpdatePolicy
    rollback: UpdatePolicy
    limits: Resources
    reservations: Resources


def read_manifests(manifests: dict[str, str]) -> tuple[AppService | None, list[str]]:
    """The service that the manifests (path to text) describe, and every fault; None when nothing could be read."""
    files = [path for path in manifests if PurePosixPath(path).name == FILE]
    faults = [f"{path}: found a file, expected nothing but {FILE}" for path in sorted(manifests) if path not in files]
    if len(files) != 1:
        return None, [*faults, f"{FILE}: found {len(files)} of them, expected one"]
    try:
        raw = yaml.safe_load(manifests[files[0]])
    except yaml.YAMLError as error:
        return None, [*faults, f"{files[0]}: not YAML: {' '.join(str(error).split())}"]
    return _read(raw, faults), faults


def _read(raw: Any, faults: list[str]) -> AppService | None:
    top = ComposeSection(raw, "", faults)
    services = top.table("services")
    top.end()
    names = services.keys()
    if len(names) != 1:
        top.fault("services", f"found {len(names)} services, expected one")
    read = [_service(services.table(name)) for name in names]
    return read[0] if len(read) == 1 else None


def _service(section: ComposeSection) -> AppService:
    deploy = section.table("deploy")
    resources = deploy.table("resources")
    service = AppService(
        environment=section.variables("environment"),
        healthcheck=_healthcheck(section.table("healthcheck")) if section.has("healthcheck") else None,
        stop_grace_period=section.duration("stop_grace_period", 10 * _SECOND),
        read_only=section.flag("read_only", False),
        user=section.literal("user", section.text("user", "")),
        cap_drop=section.texts("cap_drop"),
        tmpfs=tuple(_tmpfs(section, item) for item in section.texts("tmpfs")),
        replicas=deploy.whole("replicas", 1, 1, 1000),
        update=_policy(deploy.table("update_config"), ("rollback", "pause", "continue")),
        rollback=_policy(deploy.table("rollback_config"), ("pause", "continue")),
        limits=_resources(resources.table("limits")),
        reservations=_resources(resources.table("reservations")),
    )
    for mapping in (resources, deploy, section):
        mapping.end()
    return service


def _healthcheck(section: ComposeSection) -> HealthCheck:
    command = section.texts("test")
    if command and section.is_text("test"):
        command = ("CMD-SHELL", *command)
    if command and (command[0] not in ("CMD", "CMD-SHELL") or len(command) < 2):
        section.fault("test", f"found {list(command)}, expected a command, or a list that begins with CMD or CMD-SHELL")
    check = HealthCheck(
        test=command,
        interval=section.duration("interval", 0),
        timeout=section.duration("timeout", 0),
        start_period=section.duration("start_period", 0),
        retries=section.whole("retries", 0, 0, 1000),
    )
    section.end()
    return check


def _policy(section: ComposeSection, actions: tuple[str, ...]) -> UpdatePolicy:
    policy = UpdatePolicy(
        order=section.text("order", "start-first", ("start-first", "stop-first")),
        parallelism=section.whole("parallelism", 1, 0, 1000),
        delay=section.duration("delay", 0),
        failure_action=section.text("failure_action", actions[0], actions),
        monitor=section.duration("monitor", 5 * _SECOND),
        max_failure_ratio=section.number("max_failure_ratio", 0.0, 0, 1),
    )
    section.end()
    return policy


def _resources(section: ComposeSection) -> Resources:
    resources = Resources(section.cores("cpus"), section.size("memory", 0))
    section.end()
    return resources


def _tmpfs(section: ComposeSection, text: str) -> Tmpfs:
    target, _, options = text.partition(":")
    size = mode = 0
    try:
        if not target.startswith("/"):
            raise ValueError(f"{text!r}, expected an absolute path such as /tmp or /tmp:size=64m,mode=1777")
        for name, _, value in (option.partition("=") for option in filter(None, options.split(","))):
            if name == "size":
                size = size_bytes(value)
            elif name == "mode":
                mode = int(value, 8)
            else:
                raise ValueError(f"{text!r}, expected no other options than size and mode")
    except ValueError as error:
        section.fault("tmpfs", f"found {error}")
    return Tmpfs(target, size, mode)
