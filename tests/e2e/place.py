"""A whole sandbox with a repository of its own, worked by the `nocturne` command as a person would."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import httpx

from nocturne.cli.airflow_api import AirflowApi
from nocturne.ports.connections import Connection
from tests.e2e.app_repository import CLONE, AppRepository, new_app_repository

PORTS = ("NOCTURNE_APP_PORT", "NOCTURNE_AIRFLOW_PORT", "NOCTURNE_REGISTRY_PORT", "NOCTURNE_BLOB_PORT")


@dataclass(frozen=True)
class Place:
    """home: the sandbox's state. repository: where the app's developers push. models: where the data scientist works.

    target: `swarm` or `kubernetes`. ports: by variable, so that places run beside each other. more: other variables.
    """

    home: Path
    repository: AppRepository
    models: Path
    deployed: Path
    target: str
    ports: dict[str, str]
    more: dict[str, str]

    @property
    def name(self) -> str:
        """What the sandbox prefixes to everything that it creates outside of its home."""
        return f"nocturne-e2e-{self.target}"

    @property
    def shipped_to(self) -> str:
        """The environment of the app's release.toml that nights ship to."""
        return {"swarm": "sandbox", "kubernetes": "kubernetes"}[self.target]

    @cached_property
    def url(self) -> str:
        """The app's public address."""
        found: str = self.status()["public_url"]
        return found

    @property
    def app_port(self) -> int:
        """The public address' port on this machine."""
        return int(self.url.rpartition(":")[2])

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "NOCTURNE"))},
            **self.ports,
            **self.more,
            "NOCTURNE_HOME": str(self.home),
            "NOCTURNE_NAME": self.name,
            "NOCTURNE_TARGET": self.target,
            "NOCTURNE_CODE": str(self.repository.path),
            "NOCTURNE_RELEASE_FILE": str(self.deployed),
        }

    def run(self, *words: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """A `nocturne` command, to its end."""
        command = [str(Path(sys.executable).with_name("nocturne")), *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False)

    def json(self, *words: str, expected: int | None = 0) -> Any:
        """The command's result."""
        done = self.run(*words, "--json")
        assert expected is None or done.returncode == expected, (
            f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any]:
        """What `nocturne status` says of the environment."""
        found: dict[str, Any] = next(item for item in self.json("status") if item["environment"] == self.shipped_to)
        return found

    def night(self, *words: str, expected: int = 0) -> dict[str, Any]:
        """One night from start to verdict, with the tasks that did something."""
        verdict: dict[str, Any] = self.json("release", "run", "--wait", *words, expected=expected)
        return verdict | {"ran": self.ran("nightly_release", verdict["run"])}

    def commit(self, files: dict[str, str]) -> str:
        """Push a change to the app: path in its folder to new content. Returns the commit."""
        return self.repository.commit(files)

    def revert(self) -> None:
        """Push the opposite of the last commit."""
        self.repository.revert()

    def read(self, path: str) -> str:
        """A file of the app as it was pushed last."""
        return self.repository.read(path)

    def model_that_can_be_wrong(self) -> str:
        """The app's model.py with answers that are wrong where the variable WRONG is set."""
        return self.read("model.py") + (
            "\n\nimport os\n\nif os.environ.get('WRONG'):\n    _right = Model.probabilities\n"
            "    Model.probabilities = lambda self, images: _right(self, images)[:, ::-1]\n"
        )

    def train(self, seed: int) -> Path:
        """A model as the data scientist's training leaves it."""
        folder = self.models / f"seed-{seed}"
        if not folder.exists():
            python = self.python()
            command = [str(python), "-m", "app.training", "--seed", str(seed), "--out", str(folder)]
            subprocess.run(command, cwd=CLONE, env={"PATH": os.environ["PATH"]}, check=True, capture_output=True, timeout=120)
        return folder

    def copy_of_model(self, model: Path, name: str) -> Path:
        """A folder of its own with the same files, to be changed."""
        folder = self.models / name
        shutil.copytree(model, folder, dirs_exist_ok=True)
        return folder

    def deploy(self, release_toml: str) -> None:
        """Change the deployed release.toml, and wait until Airflow has loaded the night anew."""
        self.deployed.write_text(release_toml)
        path, before = "/api/v2/dags/nightly_release", datetime.now(UTC)
        self.touch_dags()
        while datetime.fromisoformat(self.airflow.ask("GET", path)["last_parsed_time"]) < before:
            time.sleep(0.5)

    def answer(self, run: str, answer: str) -> None:
        """Answer the night's question, as a person does in Airflow's page of required actions."""
        path = f"/api/v2/dags/nightly_release/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
        self.airflow.ask("PATCH", path, json={"chosen_options": [answer], "params_input": {}})

    def touch_dags(self) -> None:
        """Have Airflow look at its DAG files again: it parses a file anew when its time changes."""
        for file in (CLONE / "dags").glob("*.py"):
            file.touch()

    def code_images(self, tree: str) -> int:
        """How many code images were built from a tree, as the local engine remembers; release images bear the label too."""
        found = docker.from_env().api.images(filters={"label": f"io.nocturne.code.tree={tree}"})
        return sum("io.nocturne.release" not in image["Labels"] for image in found)

    def python(self) -> Path:
        """The app's own environment, which the first night has made."""
        return next((self.home / "cache" / "environments").glob("*/bin/python"))

    def version(self) -> dict[str, Any]:
        """What the app says of itself to its users."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/version", timeout=30).json()
        return answer

    @property
    def airflow(self) -> AirflowApi:
        """Airflow's API, signed in as the sandbox's user."""
        secrets = json.loads((self.home / "secrets.json").read_text())
        port, user, password = int(self.ports["NOCTURNE_AIRFLOW_PORT"]), secrets["airflow_user"], secrets["airflow_password"]
        return AirflowApi(Connection("nocturne_airflow", host="localhost", port=port, login=user, password=password))

    def ended(self, dag: str, run: str) -> bool:
        """Whether a run has come to an end, good or bad."""
        return self.airflow.run_state(dag, run) in ("success", "failed")

    def tasks(self, dag: str, run: str) -> dict[str, str]:
        """Task to state."""
        return {task.name: task.state or "" for task in self.airflow.tasks(dag, run)}

    def ran(self, dag: str, run: str) -> list[str]:
        """The tasks that had something to do and did it, in the order in which they ended."""
        ended = [task for task in self.airflow.tasks(dag, run) if task.state == "success"]
        return [task.name for task in sorted(ended, key=lambda task: task.ended_at or "")]

    def log(self, run: str, task: str) -> str:
        """Everything that a task of a night has written, over all its tries."""
        folder = self.home / "airflow" / "logs" / "dag_id=nightly_release" / f"run_id={run}" / f"task_id={task}"
        return "\n".join(file.read_text() for file in sorted(folder.glob("*.log")))


def new_place(home: Path, target: str, first_port: int, more: dict[str, str] | None = None) -> Place:
    """A place whose repository holds this clone's app as it is in the work tree. Takes ten ports from the first on, and Airflow's
    log ports far from them."""
    shutil.rmtree(home / "work", ignore_errors=True)
    repository = new_app_repository(home / "work" / "repository")
    deployed = home / "work" / "release.toml"
    deployed.write_text(repository.read("release.toml"))
    ports = {variable: str(first_port + number) for number, variable in enumerate(PORTS)}
    return Place(home / "state", repository, home / "work" / "models", deployed, target, ports, more or {})
