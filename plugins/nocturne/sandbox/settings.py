"""Where the sandbox lives, how its things are named and which ports it takes: everything that the environment can move."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nocturne.domain.errors import ConfigurationError
from nocturne.sandbox.remembered import KUBERNETES, SWARM, TARGETS, Remembered, recall

_CLONE = Path(__file__).resolve().parents[3]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Port:
    """A TCP port on this machine. variable: the environment variable that moves it. part: who listens there."""

    number: int
    variable: str
    part: str


@dataclass(frozen=True)
class Settings:
    """One sandbox. Two of them run side by side when home, name and ports differ.

    clone: the repository. home: the state, removed by `clean`. name: prefix of everything that is created in Docker, and the
    namespace in Kubernetes. target: swarm or kubernetes. kubeconfig: of the cluster, with an administrator's rights.
    code: URL or path of the app's repository; release_file: its deployed `release.toml`. Both are the clone's by default.
    debian_mirror: where the base image is built from when it cannot be pulled; empty for the one this machine's apt uses.
    """

    clone: Path
    home: Path
    name: str
    target: str
    kubeconfig: Path | None
    app_port: int
    airflow_port: int
    registry_port: int
    blob_port: int
    task_log_port: int
    trigger_log_port: int
    engine_url: str
    debian_mirror: str
    code: str
    release_file: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], clone: Path = _CLONE) -> "Settings":
        """Read the NOCTURNE_* variables. Raises ConfigurationError with every fault found."""
        reader = _Reader(environment)
        airflow_port = reader.port("NOCTURNE_AIRFLOW_PORT", 8080)
        # 8793 is Airflow's own default. The distances move the log ports along with the UI's, and their odd difference keeps them
        # clear of those of a sandbox whose UI is a round number of ports away.
        home = Path(environment.get("NOCTURNE_HOME") or clone / ".nocturne").expanduser().resolve()
        ships_to = reader.target(recall(home), home)
        task_log_port = reader.port("NOCTURNE_TASK_LOG_PORT", _moved(airflow_port, 713))
        settings = cls(
            clone=clone,
            home=home,
            name=reader.name("NOCTURNE_NAME", "nocturne"),
            target=ships_to.target,
            kubeconfig=Path(ships_to.kubeconfig) if ships_to.kubeconfig else None,
            app_port=reader.port("NOCTURNE_APP_PORT", 8088),
            airflow_port=airflow_port,
            registry_port=reader.port("NOCTURNE_REGISTRY_PORT", 5000),
            blob_port=reader.port("NOCTURNE_BLOB_PORT", 10000),
            task_log_port=task_log_port,
            trigger_log_port=reader.port("NOCTURNE_TRIGGER_LOG_PORT", _moved(airflow_port, 1727)),
            engine_url=environment.get("DOCKER_HOST") or "unix:///var/run/docker.sock",
            debian_mirror=environment.get("NOCTURNE_DEBIAN_MIRROR", ""),
            code=environment.get("NOCTURNE_CODE") or str(clone),
            release_file=Path(environment.get("NOCTURNE_RELEASE_FILE") or clone / "app" / "release.toml").expanduser().resolve(),
        )
        faults = [*reader.faults, *_shared_ports(settings.ports)]
        if faults:
            raise ConfigurationError("the environment", faults)
        return settings

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every port that the sandbox listens on."""
        front_door = (Port(self.app_port, "NOCTURNE_APP_PORT", "front door"),)
        return (
            *(front_door if self.target == SWARM else ()),
            Port(self.airflow_port, "NOCTURNE_AIRFLOW_PORT", "airflow"),
            Port(self.task_log_port, "NOCTURNE_TASK_LOG_PORT", "airflow"),
            Port(self.trigger_log_port, "NOCTURNE_TRIGGER_LOG_PORT", "airflow"),
            Port(self.registry_port, "NOCTURNE_REGISTRY_PORT", "registry"),
            Port(self.blob_port, "NOCTURNE_BLOB_PORT", "blob"),
        )

    @property
    def tools(self) -> Path:
        """Installed programs; they belong to the clone, so that a second sandbox need not install them again."""
        return self.clone / ".nocturne" / "tools"

    @property
    def logs(self) -> Path:
        """One log file for each part."""
        return self.home / "logs"

    @property
    def app_url(self) -> str:
        """The public address of the app on Swarm."""
        return f"http://localhost:{self.app_port}"

    @property
    def airflow_url(self) -> str:
        """The address of Airflow's UI and API."""
        return f"http://localhost:{self.airflow_port}"

    @property
    def registry_host(self) -> str:
        """The registry as it stands in image references. Engines take `localhost` as a registry without TLS."""
        return f"localhost:{self.registry_port}"

    @property
    def service(self) -> str:
        """The app's Swarm service."""
        return f"{self.name}-app"

    @property
    def network(self) -> str:
        """The Swarm network between the front door and the app."""
        return self.name

    @property
    def front_door(self) -> str:
        """The container of the front door."""
        return f"{self.name}-front-door"


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def port(self, variable: str, default: int) -> int:
        text = self._environment.get(variable) or str(default)
        if not text.isdecimal() or not 0 < int(text) <= _HIGHEST_PORT:
            self.faults.append(f"{variable} is {text!r}, expected a port between 1 and {_HIGHEST_PORT}")
            return default
        return int(text)

    def name(self, variable: str, default: str) -> str:
        text = self._environment.get(variable) or default
        if not _NAME.fullmatch(text):
            self.faults.append(f"{variable} is {text!r}, expected a small letter, then up to 30 small letters, digits or -")
        return text

    def target(self, before: Remembered | None, home: Path) -> Remembered:
        told = self._environment.get("NOCTURNE_TARGET")
        target = told or (before.target if before else SWARM)
        if target not in TARGETS:
            self.faults.append(f"NOCTURNE_TARGET is {target!r}, expected one of {', '.join(TARGETS)}")
        elif before and target != before.target:
            self.faults.append(
                f"NOCTURNE_TARGET is {target!r}, but {home} ships to {before.target!r}: leave it out, `make clean` first, or set"
                " NOCTURNE_HOME and NOCTURNE_NAME for a second sandbox"
            )
        elif target == KUBERNETES:
            return Remembered(target, self._kubeconfig(before))
        return Remembered(target)

    def _kubeconfig(self, before: Remembered | None) -> str:
        told = self._environment.get("KUBECONFIG")
        if told and os.pathsep in told:
            self.faults.append(f"KUBECONFIG is {told!r}, expected one file: `kubectl config view --flatten --raw` joins several")
        if told:
            return str(Path(told).expanduser().resolve())
        if before:
            return before.kubeconfig
        self.faults.append(
            "KUBECONFIG is not set, expected the kubeconfig of a cluster in which you may make namespaces and roles, as"
            " NOCTURNE_TARGET=kubernetes needs: KUBECONFIG=... make up TARGET=kubernetes"
        )
        return ""


def _moved(port: int, distance: int) -> int:
    return port + distance if port + distance <= _HIGHEST_PORT else port - distance


def _shared_ports(ports: tuple[Port, ...]) -> list[str]:
    first: dict[int, Port] = {}
    faults = []
    for port in ports:
        taken = first.setdefault(port.number, port)
        if taken is not port:
            faults.append(f"{port.variable} and {taken.variable} are both {port.number}, expected different ports")
    return faults
