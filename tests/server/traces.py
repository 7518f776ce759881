"""Everything that a night leaves behind where somebody could read it."""

import io
import json
import subprocess
import tarfile

import docker

from tests.server.stack import Stack

_WITH_LOGS = ("scheduler", "triggerer", "worker")


def traces(stack: Stack) -> dict[str, bytes]:
    """By place: what stands there, as bytes."""
    client = docker.from_env(timeout=600)
    try:
        return {
            "containers": _containers(stack),
            "processes": _processes(stack),
            "airflow": _dump(stack, "airflow"),
            "ledger": _dump(stack, "nocturne"),
            "logs of tasks": _logs_of_tasks(stack),
            "images": _images(client, stack),
            "pages": _pages(stack),
        }
    finally:
        client.close()


def _containers(stack: Stack) -> bytes:
    """Logs and settings of every container. The line in which `setup` shows the first password went with its first container."""
    every = [container for containers in stack.containers().values() for container in containers]
    return b"\n".join(json.dumps(container.attrs).encode() + container.logs() for container in every)


def _processes(stack: Stack) -> bytes:
    """Arguments of all processes, as any user of the machine can list them."""
    running = [container for containers in stack.containers().values() for container in containers if container.status == "running"]
    return json.dumps([container.top(ps_args="-ef") for container in running]).encode()


def _dump(stack: Stack, database: str) -> bytes:
    """Every row. The table of connections holds none of ours, and that of users holds hashes."""
    return stack.compose("exec", "-T", "postgres", "pg_dump", "--username=postgres", "--data-only", database).encode()


def _logs_of_tasks(stack: Stack) -> bytes:
    """What the pages of the Airflow UI show as log, from every container that ran tasks or triggers."""
    command = ["find", "/opt/airflow/logs", "-type", "f", "-name", "*.log", "-exec", "cat", "{}", "+"]
    containers = [container for name, found in stack.containers().items() if name in _WITH_LOGS for container in found]
    return b"\n".join(container.exec_run(command).output for container in containers)


def _images(client: docker.DockerClient, stack: Stack) -> bytes:
    """Configuration and every file of the server's own image and of the app's newest."""
    releases = stack.releases(client)
    assert len(releases) > 1
    return b"\n".join(_content(image) for image in (stack.image, releases[0]["Id"]))


def _content(image: str) -> bytes:
    saved = subprocess.run(["docker", "save", image], capture_output=True, check=True).stdout
    found = []
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            if file:
                # Layers are plain archives in here: their files stand in them as they are.
                found.append(file.read())
    return b"\n".join(found)


def _pages(stack: Stack) -> bytes:
    """What the API behind the pages answers about the nights."""
    airflow = stack.airflow
    runs = airflow.ask("GET", "/api/v2/dags/nightly_release/dagRuns")
    found = [runs, airflow.ask("GET", "/api/v2/variables"), airflow.ask("GET", "/api/v2/eventLogs?limit=500")]
    for run in runs["dag_runs"]:
        path = f"/api/v2/dags/nightly_release/dagRuns/{run['dag_run_id']}"
        found += [airflow.ask("GET", f"{path}/taskInstances"), airflow.ask("GET", f"{path}/taskInstances/~/xcomEntries")]
    return json.dumps(found).encode()
