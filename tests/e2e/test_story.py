"""The nights of one app, in order, on a real sandbox: each test goes on from where the one before it has ended."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.observe import live, unharmed_users, wait_for
from tests.e2e.place import Place
from tests.e2e.processes import process_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]
SHIPPED = ["roll_out", "verify_release", "settle"]


def reasons(place: Place) -> dict[str, str]:
    """Id to reason of everything in quarantine."""
    return {item["id"]: item["reason"] for item in place.json("quarantine", "list")}


def test_the_first_night(place: Place) -> None:
    """From an empty sandbox, one command brings a trained model and tested code into production, verified."""
    started = place.run("sandbox", "up")
    assert started.returncode == 0, started.stdout + started.stderr
    assert "night    verified" in started.stdout
    assert place.status()["as_recorded"]
    sample = json.loads(place.read("golden/digits.json"))["samples"][3]
    answer = httpx.post(f"{place.url}/score", json={"input": json.dumps([sample["image"]])}).json()
    assert answer["result"][0][0][0][0] == sample["label"]


def test_dry_run(place: Place) -> None:
    """A dry run says that nothing is to do, and why."""
    verdict = place.json("release", "run", "--dry-run")
    assert verdict["plan"]["dry_run"]
    assert "nothing changed since" in verdict["message"]


def test_nothing_changed(place: Place) -> None:
    """A night without changes ends after its first task and says why."""
    verdict = place.night()
    assert (verdict["verdict"], verdict["ran"]) == ("unchanged", ["freeze_inputs"])
    assert f"nothing changed since {live(place)} was verified in {place.shipped_to}" in verdict["message"]


def test_only_the_model_changed(place: Place) -> None:
    """A new model alone: no test of code, no code image, and only the model's layer moves."""
    place.json("models", "publish", str(place.train(1)), "--version", "seed-1")
    verdict = place.night()
    assert verdict["verdict"] == "verified"
    assert "test_code" not in verdict["ran"]
    assert place.version()["model_version"] == "seed-1"
    log = place.log(verdict["run"], "build_image")
    assert "code image: built on" in log
    moved = sum(file.stat().st_size for file in place.train(1).iterdir())
    assert moved < bytes_moved(log) < moved + 40_000  # two tars, a configuration and a manifest


def test_only_the_code_changed(place: Place) -> None:
    """New code alone: the model's layer is not uploaded again, and users notice nothing."""
    place.commit({"note.py": '"""A module that nothing uses."""\n'})
    with unharmed_users(place):
        verdict = place.night()
    assert verdict["verdict"] == "verified"
    assert "fetch_model" not in verdict["ran"]
    log = place.log(verdict["run"], "build_image")
    assert bytes_moved(log) < 40_000


def bytes_moved(log: str) -> int:
    """What the log of build_image says was uploaded for the layers."""
    line = next(line for line in log.splitlines() if "model layer:" in line)
    return int(line.partition("model layer: ")[2].split()[0].replace(",", ""))


def test_approval(place: Place) -> None:
    """Where the environment asks for a person's yes, nothing is rolled out before it, and a no leaves production as it is."""
    asked_for = place.deployed.read_text()
    place.deploy(asked_for.replace("approval = false", "approval = true"))
    before = live(place)
    place.commit({"note.py": '"""A module that somebody is asked about."""\n'})
    assert answered(place, "Reject")["verdict"] == "unchanged"
    assert live(place) == before
    assert answered(place, "Approve")["verdict"] == "verified"
    assert live(place) != before
    place.deploy(asked_for)


def answered(place: Place, answer: str) -> dict[str, Any]:
    """A night in which a person answers; its verdict."""
    run = place.json("release", "run")["run"]
    wait_for(lambda: place.tasks("nightly_release", run)["approve"] == "awaiting_input")
    assert place.status()["lease"] is None
    # Airflow 3.3 asks again when the answer comes before it knows that the process which asked has ended: in about a second.
    time.sleep(5)
    place.answer(run, answer)
    wait_for(lambda: place.airflow.run_state("nightly_release", run) in ("success", "failed"))
    verdict: dict[str, Any] = place.airflow.xcom("nightly_release", run, "settle", "verdict")
    return verdict


def test_a_failing_test(place: Place) -> None:
    """A failing test of the app: rejected, its name in log and ledger, production untouched."""
    before = live(place)
    place.commit({"tests/test_wrong.py": 'def test_that_is_wrong():\n    assert 1 == 2, "one is not two"\n'})
    verdict = place.night(expected=3)
    assert verdict["ran"] == ["freeze_inputs"]
    assert "test_that_is_wrong" in place.json("releases", "show", verdict["release"])["reason"]
    assert "one is not two" in place.log(verdict["run"], "test_code")
    assert live(place) == before
    place.revert()


def test_rejected_code_stays_rejected(place: Place) -> None:
    """Asking for the rejected commit again stops at once, with the reason."""
    verdict = place.night("--commit", "HEAD~1")
    assert (verdict["verdict"], verdict["ran"]) == ("unchanged", ["freeze_inputs"])
    assert "test_that_is_wrong" in verdict["message"]


def flip_a_byte(place: Place, version: str) -> None:
    blob = blobs(place).get_blob_client(f"digits/{version}/model.onnx")
    content = bytearray(blob.download_blob().readall())
    content[len(content) // 2] ^= 1
    blob.upload_blob(bytes(content), overwrite=True)


def remove_a_file(place: Place, version: str) -> None:
    blobs(place).delete_blob(f"digits/{version}/model.onnx")


def blobs(place: Place) -> Any:
    """The container, past the orchestrator: what anybody with the key can do."""
    from azure.storage.blob import ContainerClient

    secrets = json.loads((place.home / "secrets.json").read_text())
    account, key = secrets["blob_account"], secrets["blob_key"]
    url = f"http://127.0.0.1:{place.ports['NOCTURNE_BLOB_PORT']}/{account}"
    return ContainerClient(url, "models", {"account_name": account, "account_key": key}, api_version="2021-12-02")


@pytest.mark.parametrize(
    ("version", "damage", "reason"),
    [("corrupt", flip_a_byte, "sha256:"), ("incomplete", remove_a_file, "model.onnx")],
)
def test_a_damaged_model(place: Place, version: str, damage: Callable[[Place, str], None], reason: str) -> None:
    """A model that is not what its manifest says: rejected with the file's name, in quarantine, production untouched."""
    before = live(place)
    place.json("models", "publish", str(place.train(2)), "--version", version)
    damage(place, version)
    verdict = place.night(expected=3)
    assert reason in verdict["message"]
    assert "model.onnx" in reasons(place)[f"digits/{version}"]
    assert live(place) == before
    assert place.night()["ran"] == ["freeze_inputs"]  # the night after is calm


def card_of_another_contract(card: dict[str, Any]) -> None:
    card["labels"] = card["labels"][:9]


def card_that_reads_images_inside_out(card: dict[str, Any]) -> None:
    card["input"]["scale"] = -card["input"]["scale"]


@pytest.mark.parametrize(
    ("version", "change", "reason"),
    [("nine-labels", card_of_another_contract, "contract:"), ("worse", card_that_reads_images_inside_out, "accuracy is")],
)
def test_a_bad_model(place: Place, version: str, change: Callable[[dict[str, Any]], None], reason: str) -> None:
    """A model of another contract, or worse than the gates allow: rejected with the reason and in quarantine."""
    before = live(place)
    folder = place.copy_of_model(place.train(2), version)
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(card))
    published = place.json("models", "publish", str(folder), "--version", version)
    verdict = place.night(expected=3)
    assert reason in verdict["message"]
    assert reason in reasons(place)[published["digest"]]
    assert live(place) == before


def test_latest_moves_under_a_run(place: Place) -> None:
    """What is published while a run is under way belongs to the next run."""
    place.json("models", "publish", str(place.train(3)), "--version", "seed-3")
    run = place.json("release", "run")["run"]
    wait_for(lambda: place.tasks("nightly_release", run)["freeze_inputs"] == "success")
    place.json("models", "publish", str(place.train(4)), "--version", "seed-4")
    wait_for(lambda: place.airflow.run_state("nightly_release", run) == "success")
    assert place.version()["model_version"] == "seed-3"


def with_variable(manifest: str, name: str, value: str) -> str:
    """The manifest with a variable that only production sets, so that no trial before it notices."""
    return manifest.replace("    read_only: true\n", f"    read_only: true\n    environment: {{{name}: '{value}'}}\n")


def test_a_release_that_never_gets_ready(place: Place) -> None:
    """A release that is never ready in production: the previous one is back and verified, and no user saw a failure."""
    before = live(place)
    manifest = place.read("swarm/compose.yaml")
    place.commit({"swarm/compose.yaml": with_variable(manifest, "MODEL_DIR", "/nowhere")})
    with unharmed_users(place):
        verdict = place.night(expected=3)
    assert "/nowhere" in verdict["message"]
    assert f"{before} is back in {place.shipped_to} and verified" in verdict["message"]
    assert live(place) == before
    place.revert()


def test_a_release_that_answers_wrongly(place: Place) -> None:
    """A release that is ready but answers wrongly in production: taken back, rejected, and no request failed."""
    before = live(place)
    manifest = place.read("swarm/compose.yaml")
    place.commit({"model.py": place.model_that_can_be_wrong(), "swarm/compose.yaml": with_variable(manifest, "WRONG", "1")})
    with unharmed_users(place):
        verdict = place.night(expected=3)
    assert "answers that differ from what was judged" in verdict["message"]
    assert f"{before} is back in {place.shipped_to} and verified" in verdict["message"]
    assert live(place) == before
    place.revert()


def test_every_task_is_killed_once(place: Place) -> None:
    """A night in which each task's process is killed by SIGKILL once still ends verified, with one image and one deployment."""
    place.commit({"note.py": '"""Another module that nothing uses."""\n'})
    run = place.json("release", "run")["run"]
    killed: set[str] = set()

    def kill_what_runs() -> bool:
        for task in place.airflow.tasks("nightly_release", run):
            process = process_of(task.id) if task.state == "running" and task.name not in killed else None
            if process is not None:
                time.sleep(0.5)  # into its work
                kill(process)
                killed.add(task.name)
        return place.airflow.run_state("nightly_release", run) in ("success", "failed")

    wait_for(kill_what_runs, 900, pause=0.1)
    assert place.airflow.run_state("nightly_release", run) == "success"
    assert {"freeze_inputs", "test_code", "build_image", "try_image", "roll_out", "verify_release", "settle"} <= killed
    story = place.json("releases", "show", live(place))
    assert [item["state"] for item in story["deployments"]] == ["verified"]
    assert [event[1] for event in story["deployments"][0]["events"]] == ["planned", "rolling out", "verifying", "verified"]
    assert place.code_images(story["inputs"]["code"]["tree"]) == 1


def kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_rollback_and_hold(place: Place) -> None:
    """A rollback brings the last verified release back and holds the nights, until the hold is lifted."""
    newest = live(place)
    verdict = place.json("rollback", place.shipped_to, "--reason", "the digits look odd")
    assert verdict["verdict"] == "verified"
    back = live(place)
    assert back != newest
    night = place.night()
    assert (night["verdict"], live(place)) == ("unchanged", back)
    assert "the digits look odd" in place.airflow.xcom("nightly_release", night["run"], "roll_out", "message")
    assert place.status()["hold"]["reason"] == "the digits look odd"
    place.json("release", "resume", place.shipped_to)
    assert place.night()["verdict"] == "verified"
    assert live(place) == newest


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data scientist's private key; the public one beside it ends in .pem."""
    private = tmp_path_factory.mktemp("keys") / "alice.key"
    curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run(["openssl", "genpkey", *curve, "-out", str(private)], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(private.with_suffix(".pem"))], check=True)
    return private


def test_only_signed_models(place: Place, key: Path) -> None:
    """Where an environment demands signatures, an unsigned model is refused before it is fetched, and a signed one ships."""
    before = live(place)
    text = place.read("release.toml").replace('target = "swarm"\n', 'target = "swarm"\nsigned_by = ["alice"]\n')
    text += '\n[signers]\nalice = "keys/alice.pem"\n'
    place.commit({"keys/alice.pem": key.with_suffix(".pem").read_text(), "release.toml": text})
    place.json("models", "publish", str(place.train(5)), "--version", "unsigned")
    verdict = place.night(expected=3)
    assert ("signed" in verdict["message"], verdict["ran"], live(place)) == (True, [], before)
    place.json("models", "publish", str(place.train(5)), "--version", "signed", "--sign", str(key))
    verdict = place.night()
    assert (verdict["verdict"], place.version()["model_version"]) == ("verified", "signed")
    assert place.json("releases", "show", verdict["release"])["signer"] == "alice"


def test_new_code_ships_without_a_bad_model(place: Place, key: Path) -> None:
    """Where the app asks for it, a night with new code and a bad model names the model and ships the code with the live one."""
    folder = place.copy_of_model(place.train(6), "inside-out")
    card = json.loads((folder / "model.json").read_text())
    card_that_reads_images_inside_out(card)
    (folder / "model.json").write_text(json.dumps(card))
    place.json("models", "publish", str(folder), "--version", "inside-out", "--sign", str(key))
    kept = place.read("release.toml").replace('on_bad_model = "stop"', 'on_bad_model = "keep_current_model"')
    commit = place.commit({"release.toml": kept})
    verdict = place.night()
    assert (verdict["verdict"], "inside-out" in verdict["message"]) == ("verified", True)
    assert (place.version()["commit"], place.version()["model_version"]) == (commit, "signed")
    listed = {item["version"]: item for item in place.json("models", "list")}
    assert "accuracy is" in listed["inside-out"]["rejected"]
    assert listed["signed"]["live"] == [place.shipped_to]


def test_which_model_answered(place: Place) -> None:
    """The day's models are told in the order in which they were in production, the live one last."""
    told = place.json("models", "answered", f"{datetime.now(UTC):%Y-%m-%d}")
    assert told[-1]["release"] == live(place)
    assert told[-1]["model_version"] == "signed"


def test_a_model_that_may_be_worse(place: Place, key: Path) -> None:
    """One golden digit fewer than is allowed may be chance: inconclusive, with nothing shipped and nothing in quarantine."""
    before, bad = live(place), reasons(place)
    place.json("models", "publish", str(place.train(7)), "--version", "perhaps-worse", "--sign", str(key))
    place.commit({"release.toml": place.read("release.toml").replace("max_accuracy_drop = 0.01", "max_accuracy_drop = 0.0")})
    verdict = place.night(expected=7)
    assert (verdict["verdict"], live(place), reasons(place)) == ("inconclusive", before, bad)
    assert "p = 0.5" in verdict["message"]
    place.revert()


def test_wrong_configuration(place: Place) -> None:
    """A wrong deployed release.toml is an import error of the DAG that names every fault, and the DAG is back once it is right."""
    right = place.deployed.read_text()
    place.deployed.write_text(right.replace("min_accuracy = 0.97", "min_acuracy = 97"))
    place.touch_dags()
    wait_for(
        lambda: any("min_acuracy: unknown key; did you mean 'min_accuracy'?" in text for _, text in place.airflow.import_errors())
    )
    place.deploy(right)
    wait_for(lambda: place.airflow.import_errors() == [])


def test_doctor(place: Place) -> None:
    """When everything that a night needs is there, doctor says so of each part."""
    assert all(item["well"] for item in place.json("doctor"))
