import json
from pathlib import Path

import pytest

from nocturne.cli import doctor
from nocturne.domain.errors import Broken
from tests.fakes.world import FakeWorld
from tests.unit.cli.shell import Shell
from tests.unit.steps.nights import night

LACKING = "the cluster at https://aks does not allow in namespace digits: patch deployments.apps, get pods/log"


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    """A world with a live release, in which everything is well."""
    found = FakeWorld(tmp_path)
    night(found)
    monkeypatch.setattr(FakeWorld, "engine_version", lambda world: "Docker Engine 20.10", raising=False)
    monkeypatch.setattr(doctor, "_airflow", lambda: "all healthy")
    return found


def findings(shell: Shell) -> tuple[int, dict[str, str], dict[str, str]]:
    """Exit code, messages of what is well and of what is wrong, by part."""
    code, out, _ = shell.call("doctor", "--json")
    found = json.loads(out)
    assert all(item["advice"] for item in found if not item["well"])
    well, wrong = ({item["part"]: item["message"] for item in found if item["well"] is state} for state in (True, False))
    return code, well, wrong


def test_all_is_well(fakes: FakeWorld, shell: Shell) -> None:
    """Each part says what it found; the manifests are those that a night would ship."""
    code, well, wrong = findings(shell)
    commit = fakes.code.refs["HEAD"][:12]
    assert (code, wrong) == (0, {})
    assert well["environment production"].endswith("http://app.test/version answers 200")
    assert well["manifests for production"] == f"nothing stands in the way of the 1 file at {commit}"


def test_rights_that_are_lacking(fakes: FakeWorld, shell: Shell) -> None:
    """Every verb and resource that the cluster does not allow is named, though its release can be read."""
    fakes.production.fail_next("check", Broken(LACKING, advice="give it the Role"))
    code, well, wrong = findings(shell)
    assert (code, wrong) == (4, {"manifests for production": LACKING})
    assert "environment production" in well


def test_manifests_that_are_refused(fakes: FakeWorld, shell: Shell) -> None:
    """Every fault of the manifests is told before a night meets it."""
    fakes.production.faults = ["compose.yaml: services.web.image: missing", "compose.yaml: services.web.ports: missing"]
    code, _, wrong = findings(shell)
    assert (code, list(wrong)) == (4, ["manifests for production"])
    assert all(fault in wrong["manifests for production"] for fault in fakes.production.faults)


def test_manifests_of_the_commit(fakes: FakeWorld, shell: Shell) -> None:
    """The folder is the one that release.toml names at the commit, as at the start of a run."""
    text = fakes.code.commits[fakes.code.refs["HEAD"]]["release.toml"]
    fakes.push(release_toml=text.replace(b'manifests = "swarm"', b'manifests = "elsewhere"'))
    message = findings(shell)[2]["manifests for production"]
    assert "found no file in elsewhere/" in message


def test_an_app_that_answers_wrongly(fakes: FakeWorld, shell: Shell) -> None:
    """An address that answers anything but 200 is not well."""
    release = fakes.production.running()
    fakes.clients.serve(fakes.production.url, {"GET /version": lambda body: (503, "no server")})
    code, _, wrong = findings(shell)
    expected = f"runs {release}, but http://app.test/version answered 503, expected 200"
    assert (code, wrong) == (4, {"environment production": expected})
