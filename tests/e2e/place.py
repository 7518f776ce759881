"""A whole sandbox with a repository of its own, worked by the `nocturne` command as a person would."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import httpx

from nocturne.cli.airflow_api import AirflowApi
from nocturne.ports.connections import Connection

CLONE = Path(__file__).parents[2]
PORTS = {
    "NOCTURNE_APP_PORT": "18088",
    "NOCTURNE_AIRFLOW_PORT": "18080",
    "NOCTURNE_REGISTRY_PORT": "15000",
    "NOCTURNE_BLOB_PORT": "20000",
}
ENVIRONMENT = "sandbox"


@dataclass(frozen=True)
class Place:
    """home: the sandbox's state. repository: where the app's developers push. models: where the data scientist works."""

    home: Path
    repository: Path
    models: Path
    deployed: Path

    @property
    def url(self) -> str:
        """The app's public address."""
        return f"http://localhost:{PORTS['NOCTURNE_APP_PORT']}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "NOCTURNE"))},
            **PORTS,
            "NOCTURNE_HOME": str(self.home),
            "NOCTURNE_NAME": "nocturne-e2e",
            "NOCTURNE_CODE": str(self.repository),
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

    def night(self, *words: str, expected: int = 0) -> dict[str, Any]:
        """One night from start to verdict, with the tasks that did something."""
        verdict: dict[str, Any] = self.json("release", "run", "--wait", *words, expected=expected)
        return verdict | {"ran": self.ran("nightly_release", verdict["run"])}

    def commit(self, files: dict[str, str]) -> str:
        """Push a change to the app: path in its folder to new content. Returns the commit."""
        for name, content in files.items():
            path = self.repository / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {', '.join(files)}")
        return self.git("rev-parse", "HEAD")

    def revert(self) -> None:
        """Push the opposite of the last commit."""
        self.git("revert", "--no-edit", "HEAD")

    def read(self, path: str) -> str:
        """A file of the app as it was pushed last."""
        return (self.repository / "app" / path).read_text()

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.repository), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

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
        found = docker.from_env().images.list(filters={"label": f"io.nocturne.code.tree={tree}"})
        return sum("io.nocturne.release" not in image.labels for image in found)

    def python(self) -> Path:
        """The app's own environment, which the first night has made."""
        return next((self.home / "cache" / "environments").glob("*/bin/python"))

    def version(self) -> dict[str, Any]:
        """What the app says of itself to its users."""
        answer: dict[str, Any] = httpx.get(f"{self.url}/version", timeout=5).json()
        return answer

    @property
    def airflow(self) -> AirflowApi:
        """Airflow's API, signed in as the sandbox's user."""
        secrets = json.loads((self.home / "secrets.json").read_text())
        port, user, password = int(PORTS["NOCTURNE_AIRFLOW_PORT"]), secrets["airflow_user"], secrets["airflow_password"]
        return AirflowApi(Connection("nocturne_airflow", host="localhost", port=port, login=user, password=password))

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


def process_of(task_instance: str) -> int | None:
    """The process in which Airflow runs a task's code: it bears the task instance's id in its title."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                title = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if title == f"airflow worker -- {task_instance}":
                return int(process.name)
    return None


def new_place(home: Path) -> Place:
    """A place whose repository holds this clone's app as it is in the work tree."""
    shutil.rmtree(home / "work", ignore_errors=True)
    repository = home / "work" / "repository"
    repository.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "-C", str(CLONE), "ls-files", "--cached", "--others", "--exclude-standard", "app"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (CLONE / name).is_file():
            target = repository / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CLONE / name, target)
    configuration = repository / "app" / "release.toml"
    # The app's tests of how it starts and stops take long, and say nothing about the night.
    quick = 'command = ["pytest", "--ignore=tests/test_server.py"]'
    configuration.write_text(configuration.read_text().replace('command = ["pytest"]', quick))
    assert quick in configuration.read_text()
    deployed = home / "work" / "release.toml"
    shutil.copy(repository / "app" / "release.toml", deployed)
    place = Place(home / "state", repository, home / "work" / "models", deployed)
    place.git("init", "--quiet", "--initial-branch", "main")
    place.git("config", "user.name", "An app developer")
    place.git("config", "user.email", "developer@example.org")
    place.git("add", "--all")
    place.git("commit", "--quiet", "--message", "The app")
    return place
