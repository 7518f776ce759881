"""The nights of one app on a real Kubernetes cluster, in order: each test goes on from where the one before it has ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.e2e.app_repository import CLONE
from tests.e2e.conftest import standing
from tests.e2e.observe import live, unharmed_users, wait_for
from tests.e2e.place import Place, new_place
from tests.e2e.processes import airflow_of
from tests.gate import GateInAThread

pytestmark = [pytest.mark.docker, pytest.mark.kubernetes, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def gate() -> Iterator[GateInAThread]:
    """A gate before the cluster's API server, which can be shut."""
    with GateInAThread(yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())) as gate:
        yield gate


@pytest.fixture(scope="module")
def place(prepared: None, gate: GateInAThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everything up, with nothing released yet; down again at the end, and its data and its namespace removed."""
    kubeconfig = tmp_path_factory.mktemp("kubeconfig") / "config"
    kubeconfig.write_text(yaml.safe_dump(gate.kubeconfig))
    home = CLONE / ".nocturne-test" / "e2e-kubernetes"
    yield from standing(new_place(home, "kubernetes", 19080, {"KUBECONFIG": str(kubeconfig)}))


def with_variable(manifest: str, name: str, value: str) -> str:
    """The Deployment with a variable that only production sets, so that no trial before it notices."""
    content = yaml.safe_load(manifest)
    container = content["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [*container.get("env", []), {"name": name, "value": value}]
    return yaml.safe_dump(content, sort_keys=False)


def test_the_first_night(place: Place) -> None:
    """From an empty namespace, one command brings tested code and a model into production, verified."""
    started = place.run("sandbox", "up")
    assert started.returncode == 0, started.stdout + started.stderr
    assert place.url in started.stdout
    assert place.status()["as_recorded"]
    sample = json.loads(place.read("golden/digits.json"))["samples"][3]
    answer = httpx.post(f"{place.url}/score", json={"input": json.dumps([sample["image"]])}).json()
    assert answer["result"][0][0][0][0] == sample["label"]


def test_nothing_changed(place: Place) -> None:
    """A night without changes ends after its first task and says why."""
    verdict = place.night()
    assert (verdict["verdict"], verdict["ran"]) == ("unchanged", ["freeze_inputs"])


def test_new_code(place: Place) -> None:
    """New code is rolled out replica by replica, without a lost request."""
    place.commit({"note.py": '"""A module that nothing uses."""\n'})
    with unharmed_users(place):
        verdict = place.night()
    assert verdict["verdict"] == "verified"
    assert live(place) == verdict["release"]


def test_a_release_that_never_gets_ready(place: Place) -> None:
    """A release that cannot start in production is rejected with its last words; the previous one serves on without a gap."""
    before = live(place)
    manifest = place.read("kubernetes/deployment.yaml")
    place.commit({"kubernetes/deployment.yaml": with_variable(manifest, "MODEL_DIR", "/nowhere")})
    with unharmed_users(place):
        verdict = place.night(expected=3)
    assert "/nowhere" in verdict["message"]
    assert f"{before} is back in {place.shipped_to} and verified" in verdict["message"]
    assert live(place) == before
    place.revert()


def test_a_release_that_answers_wrongly(place: Place) -> None:
    """A release that is ready but answers wrongly in production: taken back, rejected, and no request failed."""
    before = live(place)
    manifest = place.read("kubernetes/deployment.yaml")
    place.commit({"model.py": place.model_that_can_be_wrong(), "kubernetes/deployment.yaml": with_variable(manifest, "WRONG", "1")})
    with unharmed_users(place):
        verdict = place.night(expected=3)
    assert "answers that differ from what was judged" in verdict["message"]
    assert live(place) == before
    place.revert()


def test_the_api_server_goes_away(place: Place, gate: GateInAThread) -> None:
    """An API server that is away for half a minute in mid-rollout changes nothing in the outcome."""
    place.commit({"note.py": '"""A module that is rolled out with an outage."""\n'})
    run = place.json("release", "run")["run"]
    wait_for(lambda: place.tasks("nightly_release", run)["roll_out"] == "deferred")
    gate.shut()
    time.sleep(30)
    gate.open()
    wait_for(lambda: place.ended("nightly_release", run))
    assert place.airflow.xcom("nightly_release", run, "settle", "verdict")["verdict"] == "verified"
    assert "does not answer" in place.log(run, "roll_out")


def test_the_triggerer_is_killed(place: Place) -> None:
    """A triggerer that is killed while it waits is replaced by another, which takes the rollout up where it is."""
    place.commit({"note.py": '"""A module whose rollout loses its triggerer."""\n'})
    run = place.json("release", "run")["run"]
    wait_for(lambda: place.tasks("nightly_release", run)["roll_out"] == "deferred")
    victims = list(airflow_of(place, "triggerer"))
    assert victims
    for process in victims:
        # A child may end with its parent.
        with suppress(psutil.NoSuchProcess):
            process.kill()
    with another_triggerer(place):
        wait_for(lambda: place.ended("nightly_release", run))
    assert place.airflow.xcom("nightly_release", run, "settle", "verdict")["verdict"] == "verified"
    place.run("sandbox", "down")
    assert place.run("sandbox", "up", "--no-night").returncode == 0


def test_a_change_by_hand(place: Place) -> None:
    """A change by hand is shown with who made it, and the next night puts it right."""
    kubectl_like(place, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 99}}}}, "somebody")
    wait_for(lambda: any("somebody" in text for text in place.status()["drift"]), 60)
    verdict = place.night()
    assert verdict["verdict"] == "verified"
    assert place.status()["drift"] == []


def test_rollback_and_hold(place: Place) -> None:
    """A rollback brings the last verified release back and holds the nights, until the hold is lifted."""
    newest = live(place)
    with unharmed_users(place):
        assert place.json("rollback", place.shipped_to, "--reason", "the digits look odd")["verdict"] == "verified"
    back = live(place)
    assert back != newest
    assert (place.night()["verdict"], live(place)) == ("unchanged", back)
    place.json("release", "resume", place.shipped_to)
    assert place.night()["verdict"] == "verified"
    assert live(place) == newest


def with_strategy(place: Place, **settings: Any) -> None:
    """Commit and deploy another strategy of the environment."""
    text = place.read("release.toml")
    kept = text.partition("[environments.kubernetes.strategy")[0].rstrip()
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items() if not isinstance(value, dict)]
    tables = {key: value for key, value in settings.items() if isinstance(value, dict)}
    for name, table in tables.items():
        lines += [f"[environments.kubernetes.strategy.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    changed = "\n".join([kept, "", "[environments.kubernetes.strategy]", *lines, ""])
    place.commit({"release.toml": changed})
    place.deploy(changed)


def test_blue_green(place: Place) -> None:
    """A release is ready and verified beside the live one before users are switched to it in one step."""
    with_strategy(place, kind="blue-green", keep_seconds=5)
    with unharmed_users(place):
        verdict = place.night()
    assert verdict["verdict"] == "verified"
    log = place.log(verdict["run"], "roll_out")
    assert f"asked {place.shipped_to} (beside) for" in log
    assert f"asked {place.shipped_to} for" in log
    # Skipped, where a try was cut off after it had removed everything and the next one found nothing more.
    wait_for(lambda: place.tasks("nightly_release", verdict["run"])["retire"] in ("success", "skipped"))
    assert len(deployments(place)) == 1
    assert live(place) == verdict["release"]


def deployments(place: Place) -> list[str]:
    """Names of the Deployments in the app's namespace."""
    command = ["kubectl", "--namespace", place.name, "get", "deployments", "--output", "name"]
    done = subprocess.run(command, env={**os.environ, **place.more}, check=True, capture_output=True, text=True)
    return done.stdout.split()


CANARY = {"share": 0.34, "seconds": 10, "min_requests": 20, "max_latency_ratio": 20.0}


def test_canary(place: Place) -> None:
    """A canary that serves a share of the users as well as the live release is followed by the rest."""
    with_strategy(place, kind="canary", canary=CANARY)
    # The live release is in a slot of blue-green: the first one after it is made ready beside it.
    assert place.night()["verdict"] == "verified"
    place.commit({"note.py": '"""A module that some users get first."""\n'})
    with unharmed_users(place):
        verdict = place.night()
    assert verdict["verdict"] == "verified"
    assert f"asked {place.shipped_to} (share) for" in place.log(verdict["run"], "roll_out")
    assert live(place) == verdict["release"]


def test_a_canary_without_users(place: Place) -> None:
    """A canary that nobody asked has shown nothing: inconclusive, and the live release stays."""
    before = live(place)
    place.commit({"note.py": '"""A module that nobody asks."""\n'})
    verdict = place.night(expected=7)
    assert verdict["verdict"] == "inconclusive"
    assert live(place) == before
    assert verdict["release"] not in [item["id"] for item in place.json("quarantine", "list")]


def test_doctor(place: Place) -> None:
    """When everything that a night needs is there, doctor says so of each part."""
    assert [item for item in place.json("doctor") if not item["well"]] == []


def kubectl_like(place: Place, patch: dict[str, Any], manager: str) -> None:
    """Change the app's Deployment past the orchestrator, as a person with rights does."""
    command = ["kubectl", "--namespace", place.name, "patch", "deployment", "digits", "--patch", json.dumps(patch)]
    command += ["--field-manager", manager]
    subprocess.run(command, env={**os.environ, **place.more}, check=True, capture_output=True)


@contextmanager
def another_triggerer(place: Place) -> Iterator[None]:
    """A triggerer that was not there before, as a supervisor would start it."""
    variables = next(airflow_of(place, "scheduler")).environ()
    program = str(Path(sys.executable).with_name("airflow"))
    process = subprocess.Popen([program, "triggerer"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
