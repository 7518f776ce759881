"""The whole stack of `docker-compose.yaml`, worked with docker-compose and from inside its containers, as an operator would."""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import ImageNotFound

from nocturne.cli.airflow_api import AirflowApi
from nocturne.ports.connections import Connection
from tests.e2e.app_repository import CLONE, AppRepository

NAME = "nocturne-test-server"
HEALTH_SECONDS = 480
KILL_SECONDS = 60
# Here it is a program of its own, and the image is there: it was built from wheels, without an index.
_DOCKER = 'docker() { shift; [ "$1" = build ] || docker-compose "$@"; }\n'


@dataclass(frozen=True)
class Stack:
    """repository: where the app's developers push. images: stand-ins by name. image: the server's own. settings: as in `.env`."""

    repository: AppRepository
    images: dict[str, str]
    image: str
    first_port: int
    settings: dict[str, str] = field(default_factory=lambda: {"COMPOSE_PROFILES": "local-cloud"})

    @property
    def variables(self) -> dict[str, str]:
        """What an operator would write into `.env`."""
        ports = ("AIRFLOW_PORT", "REGISTRY_PORT", "BLOB_PORT", "APP_PORT")
        return {
            "COMPOSE_FILE": f"{CLONE / 'docker-compose.yaml'}:{Path(__file__).with_name('here.yaml')}",
            "COMPOSE_PROJECT_NAME": NAME,
            "NOCTURNE_NAME": NAME,
            "NOCTURNE_IMAGE": self.image,
            **{f"{name.upper()}_IMAGE": image for name, image in self.images.items() if name != "python"},
            "BASE_PYTHON_IMAGE": self.images["python"],
            "CODE_FOLDER": str(self.repository.path),
            "SWARM_DRIVER": "overlay",
            "NOCTURNE_ENVIRONMENT": "sandbox",
            **{port: str(self.first_port + number) for number, port in enumerate(ports)},
            **self.settings,
        }

    def port(self, variable: str) -> int:
        """One of the published ports."""
        return int(self.variables[variable])

    def compose(self, *words: str, timeout: float = 900, check: bool = True) -> str:
        """What docker-compose prints, errors too."""
        return self._run(["docker-compose", *words], CLONE, timeout=timeout, check=check)

    def paste(self, commands: str, folder: Path) -> str:
        """What a shell in a folder prints of commands that come by its standard input, which theirs is too."""
        return self._run(["bash"], folder, _DOCKER + commands)

    def _run(self, command: list[str], folder: Path, given: str | None = None, *, timeout: float = 900, check: bool = True) -> str:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
        done = subprocess.run(
            command,
            env=kept | self.variables,
            cwd=folder,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def up(self, *words: str) -> None:
        """Start what is not there, and wait until everything that stays says that it is well."""
        self.compose("up", "--detach", *words)
        self.wait_until_well()

    def down(self) -> None:
        """Remove containers, networks and data; and the app, which the swarm has and not compose."""
        client = docker.from_env(timeout=120)
        for service in client.services.list(filters={"name": f"{NAME}-app"}):
            service.remove()
        networks = client.networks.list(names=[f"{NAME}-swarm"])
        while networks and client.api.inspect_network(networks[0].id, verbose=True).get("Services", {}).get(f"{NAME}-app"):
            time.sleep(0.5)
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
        for name in {name for image in self.releases(client) for name in self._our_names(image)}:
            with contextlib.suppress(ImageNotFound):  # gone with the one before it
                client.images.remove(name, force=True)
        client.close()

    def lose(self, *volumes: str) -> None:
        """Remove all containers with these volumes, as a machine takes its disk along."""
        self.compose("rm", "--stop", "--force")
        client = docker.from_env(timeout=120)
        for volume in volumes:
            client.volumes.get(f"{NAME}_{volume}").remove()
        client.close()

    def releases(self, client: docker.DockerClient) -> list[dict[str, Any]]:
        """The app's images that this stack has made, as the engine keeps them."""
        return [image for image in client.api.images() if self._our_names(image)]

    def _our_names(self, image: dict[str, Any]) -> list[str]:
        names = [*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())]
        return [name for name in names if name.startswith(f"localhost:{self.port('REGISTRY_PORT')}/")]

    def containers(self) -> dict[str, list[Any]]:
        """Service to its containers, those that have ended too."""
        client = docker.from_env()
        found: dict[str, list[Any]] = {}
        for container in client.containers.list(
            all=True, filters={"label": f"com.docker.compose.project={NAME}"}, ignore_removed=True
        ):
            found.setdefault(container.labels["com.docker.compose.service"], []).append(container)
        return found

    def unwell(self) -> list[str]:
        """What is not as it should be, in words: one-shots must have ended well, the others must be healthy."""
        return [
            f"{container.name}: {_state(container)}"
            for containers in self.containers().values()
            for container in containers
            if _state(container) not in ("healthy", "exited 0")
        ]

    def wait_until_well(self) -> None:
        """Until every container is as it should be."""
        end = time.monotonic() + HEALTH_SECONDS
        while unwell := self.unwell():
            assert time.monotonic() < end, f"{unwell}\n{self.compose('logs', '--tail', '40', check=False)}"
            time.sleep(1)

    def kill(self, service: str) -> None:
        """End all processes of a service's first container at once, as an out-of-memory killer or a power cut would."""
        end = time.monotonic() + KILL_SECONDS
        # Docker says 0 while a container is between two starts, and to the system that means this process and all of its group.
        while not (process := self.containers()[service][0].attrs["State"]["Pid"]):
            assert time.monotonic() < end, f"{service} has not come back in {KILL_SECONDS} s, and nothing can be killed in it"
            time.sleep(0.1)
        os.kill(process, signal.SIGKILL)

    def nocturne(self, *words: str) -> dict[str, Any]:
        """The result of a `nocturne` command in the scheduler's container, behind what Airflow says there of itself."""
        printed = self.compose("exec", "-T", "scheduler", "nocturne", *words, "--json")
        result: dict[str, Any] = json.JSONDecoder().raw_decode(printed, printed.index("{"))[0]
        return result

    def secrets(self) -> dict[str, str]:
        """Everything that `setup` has made up."""
        text = self.compose("run", "--rm", "-T", "setup", "cat", "/secrets/all/secrets.json")
        found: dict[str, str] = json.loads(text[text.index("{") : text.rindex("}") + 1])
        return found

    @property
    def airflow(self) -> AirflowApi:
        """Airflow's API, signed in as the administrator."""
        password = self.secrets()["admin_password"]
        return AirflowApi(
            Connection("nocturne_airflow", host="localhost", port=self.port("AIRFLOW_PORT"), login="admin", password=password)
        )


def _state(container: Any) -> str:
    state = container.attrs["State"]
    if state["Status"] == "exited":
        return f"exited {state['ExitCode']}"
    return str(state.get("Health", {}).get("Status", state["Status"]))
