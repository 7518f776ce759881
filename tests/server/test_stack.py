"""The nights of one app on the stack of `docker-compose.yaml`, in order: each goes on from where the one before it has ended."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.observe import wait_for
from tests.server.operators_page import blocks
from tests.server.stack import Stack
from tests.server.traces import traces

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]
NIGHT = "nightly_release"
STAYING = ("dag-processor", "triggerer", "engine", "registry", "azurite", "front-door", "api-server", "postgres", "scheduler")


def verdict_of(stack: Stack, run: str) -> dict[str, object]:
    """What a night that was started without waiting has come to, once there is somebody to ask."""
    stack.wait_until_well()
    airflow = stack.airflow
    wait_for(lambda: airflow.run_state(NIGHT, run) in ("success", "failed"), 900, 2)
    found: dict[str, object] = airflow.xcom(NIGHT, run, "settle", "verdict")
    return found


def live(stack: Stack) -> str:
    """The release that users get."""
    release: str = httpx.get(f"http://127.0.0.1:{stack.port('APP_PORT')}/version", timeout=30).json()["release"]
    return release


def runs(stack: Stack) -> set[str]:
    """The nights that Airflow remembers, which it tells nobody but its users."""
    found = stack.airflow.ask("GET", f"/api/v2/dags/{NIGHT}/dagRuns")["dag_runs"]
    return {run["dag_run_id"] for run in found}


def test_the_first_night(stack: Stack) -> None:
    """From nothing, `docker-compose up` and one command bring a trained model and tested code into production, verified."""
    verdict = stack.nocturne("release", "run", "--wait")
    assert verdict["verdict"] == "verified"
    assert live(stack) == verdict["release"]
    sample = json.loads(stack.repository.read("golden/digits.json"))["samples"][3]
    url = f"http://127.0.0.1:{stack.port('APP_PORT')}/score"
    answer = httpx.post(url, json={"input": json.dumps([sample["image"]])}, timeout=30).json()
    assert answer["result"][0][0][0][0] == sample["label"]


def test_only_the_administrator_comes_in(stack: Stack) -> None:
    """Airflow's API and pages ask who one is, and the password that was made up is the one that counts."""
    url = f"http://127.0.0.1:{stack.port('AIRFLOW_PORT')}"
    assert httpx.get(f"{url}/api/v2/dags", timeout=30).status_code == 401
    assert httpx.post(f"{url}/auth/token", json={"username": "admin", "password": "admin"}, timeout=30).status_code == 401
    assert stack.airflow.ask("GET", "/api/v2/dags")["total_entries"] == 2


def test_it_stays_after_a_restart(stack: Stack) -> None:
    """New containers keep releases, users and passwords, and show no password again."""
    before = stack.secrets()
    stack.compose("rm", "--stop", "--force")
    stack.up()
    assert stack.secrets() == before
    assert before["admin_password"] not in stack.compose("logs", "--no-color")
    assert stack.nocturne("release", "run", "--wait")["verdict"] == "unchanged"


def test_a_backup_brings_all_back(stack: Stack, tmp_path: Path) -> None:
    """Secrets and databases that went with their disk come back by the commands of `docs/operations.md`, as they stand there."""
    backup, restore = blocks("Back up and restore")[:2]
    before = (stack.secrets(), stack.nocturne("status"), runs(stack))
    stack.paste(backup, tmp_path)
    files = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert files == {"airflow.dump": 0o600, "nocturne.dump": 0o600, "secrets.json": 0o600}
    stack.lose("postgres", "secrets", "airflow-secrets", "postgres-secrets", "redis-secrets", "blob-secrets")
    stack.paste(restore, tmp_path)
    stack.wait_until_well()
    assert (stack.secrets(), stack.nocturne("status"), runs(stack)) == before
    assert before[1]["live"]["release_id"] == before[1]["running"] == live(stack)
    assert stack.nocturne("release", "run", "--wait")["verdict"] == "unchanged"


def test_one_container_after_another_dies(stack: Stack) -> None:
    """Whichever container dies in mid-night comes back by itself, and the night ends right."""
    stack.repository.commit({"note.py": '"""A module that is released while everything falls over."""\n'})
    run = stack.nocturne("release", "run")["run"]
    for service in STAYING:
        time.sleep(5)
        stack.kill(service)
    verdict = verdict_of(stack, run)
    assert verdict["verdict"] == "verified"
    died = {name: containers[0].attrs["RestartCount"] for name, containers in stack.containers().items() if name in STAYING}
    assert min(died.values()) >= 1, died
    assert live(stack) == verdict["release"]


def test_the_database_is_away_for_a_minute(stack: Stack) -> None:
    """A minute without PostgreSQL, Airflow's and the ledger's, in mid-night changes nothing in how it ends."""
    stack.repository.commit({"note.py": '"""A module that is released while nobody remembers anything."""\n'})
    run = stack.nocturne("release", "run")["run"]
    time.sleep(10)
    stack.compose("stop", "postgres")
    time.sleep(60)
    stack.compose("start", "postgres")
    assert verdict_of(stack, run)["verdict"] == "verified"


def test_many_workers(celery: Stack) -> None:
    """With workers that share no disk, a night's steps land on several of them, and it ends like any other."""
    celery.repository.commit({"note.py": '"""A module that many hands release."""\n'})
    run = celery.nocturne("release", "run")["run"]
    assert verdict_of(celery, run)["verdict"] == "verified"
    path = f"/api/v2/dags/{NIGHT}/dagRuns/{run}/taskInstances"
    hosts = {task["hostname"] for task in celery.airflow.ask("GET", path)["task_instances"] if task["hostname"]}
    assert len(hosts) >= 2, hosts


def test_a_worker_and_the_queue_die(celery: Stack) -> None:
    """A worker and the queue that die in mid-night change nothing in how it ends."""
    celery.repository.commit({"note.py": '"""A module that is released by those who are left."""\n'})
    run = celery.nocturne("release", "run")["run"]
    for service in ("worker", "redis"):
        time.sleep(10)
        celery.kill(service)
    assert verdict_of(celery, run)["verdict"] == "verified"


def test_no_secret_is_seen_anywhere(stack: Stack) -> None:
    """Of every secret that went in, nothing stands in logs, XComs, ledger, images, pages or the settings of containers."""
    secrets = {name: value for name, value in stack.secrets().items() if not name.endswith(("_user", "_account"))}
    assert len(secrets) >= 8
    seen = traces(stack)
    assert {"containers", "airflow", "ledger", "logs of tasks", "images", "pages"} <= set(seen)
    for place, text in seen.items():
        assert len(text) > 1000, place
        found = [name for name, value in secrets.items() if value.encode() in text]
        assert not found, f"{place} shows {found}"
