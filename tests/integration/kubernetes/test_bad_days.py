"""Bad days, from what is frozen to what is settled: the verdict, what an operator reads, production as it was, and a ledger
that tells the truth. The cluster and the app are real; code, model and images are made for the purpose.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from nocturne.adapters.http_app import HttpAppClients
from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.configuration import FILE
from nocturne.domain.errors import NocturneError
from nocturne.domain.records import Cause
from nocturne.domain.release_toml import parse_configuration
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.domain.strategy import Drift
from nocturne.ports.cluster import Cluster
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.perform import perform
from nocturne.steps.settle import FailedStep, Settlement, Verdict, settle
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Run
from tests.fakes.code_source import FakeCodeSource
from tests.fakes.world import LABELS, RELEASE_TOML, FakeWorld
from tests.integration.kubernetes.conftest import Site, fresh_site
from tests.integration.kubernetes.images import Images
from tests.integration.kubernetes.manifests import NAME, manifests
from tests.load import Load
from tests.unit.steps.nights import roll

pytestmark = pytest.mark.kubernetes
ENVIRONMENT = "production"
FOLDER = "manifests"
REJECTED = (ReleaseState.REJECTED, DeploymentState.REJECTED, True)
BROKEN = (ReleaseState.CANDIDATE, DeploymentState.BROKEN, False)


def release_toml(verify_seconds: int) -> bytes:
    """The fakes' release.toml, for this target."""
    head = RELEASE_TOML.decode().partition("[environments.")[0]
    target = f'target = "kubernetes"\nconnection = "production"\nmanifests = "{FOLDER}"'
    limits = f"verify_seconds = {verify_seconds}\nrollout_timeout_seconds = 20"
    return f"{head}[environments.{ENVIRONMENT}]\n{target}\n{limits}\n".encode()


class Production(FakeWorld):
    """A world with a real production. drift: what the environment says of changes by hand. access, namespace: others than the
    role's, where there is one.
    """

    def __init__(self, folder: Path, site: Site, images: Images) -> None:
        super().__init__(folder)
        self.site, self._images = site, images
        self.clock, self.clients = SystemClock(), HttpAppClients()
        self.ledger = SqlLedger.open(f"sqlite:///{folder / 'production.db'}", self.clock)
        self.configuration = parse_configuration(release_toml(verify_seconds=60), FILE)
        self.code = FakeCodeSource()
        self.drift, self.access, self.namespace = Drift.CORRECT, site.role.access, site.admin.namespace
        self._nights = 0

    def cluster(self, environment: str) -> Cluster:
        return self.site.cluster(drift=self.drift, access=self.access, namespace=self.namespace)

    def night(
        self, mode: str = "good", *, files: dict[str, str] | None = None, crash_after: float = 3, verify_seconds: int = 2
    ) -> Settlement:
        """A night with new code, whose app behaves as `mode` says. files: other manifests than the usual."""
        self._nights += 1
        run = Run(f"nightly_release/{self._nights}", ENVIRONMENT, "tests")
        self._commit(manifests() if files is None else files, verify_seconds)
        release_id, step, failed = None, "freeze_inputs", ()
        try:
            release_id = freeze_inputs(self, run, Wish()).plan.release_id
            self._build(release_id, mode, crash_after)
            step = "roll_out"
            perform(lambda *about: roll(*about, Cause.NIGHT), self, run, release_id)
            step = "verify_release"
            perform(lambda *about: verify_release(*about, Cause.NIGHT), self, run, release_id)
        except NocturneError as error:
            failed = (FailedStep(step, type(error).__name__, error.message),)
        return settle(self, run, release_id, Cause.NIGHT, failed)

    def _commit(self, files: dict[str, str], verify_seconds: int) -> None:
        samples = [{"image": f"{label}abc", "label": label} for label in LABELS]
        content = {
            FILE: release_toml(verify_seconds),
            "golden.json": json.dumps({"samples": samples}).encode(),
            "main.py": f"# {self._nights}".encode(),
        }
        self.code.commit({**content, **{f"{FOLDER}/{name}": text.encode() for name, text in files.items()}})

    def _build(self, release_id: str, mode: str, crash_after: float) -> None:
        model = self.ledger.release(release_id).inputs.model.digest
        told = {"RELEASE": release_id, "MODE": mode, "CRASH_AFTER": str(crash_after), "MODEL_DIGEST": model}
        self.ledger.set_image(release_id, self._images.missing() if mode == "missing" else self._images.push(told))

    @property
    def live(self) -> str:
        """The release that the ledger says is live."""
        found = self.ledger.live(ENVIRONMENT)
        assert found is not None
        return found.release_id

    def told_of(self, release_id: str) -> tuple[ReleaseState, DeploymentState, bool]:
        """What the ledger says of a release and of its deployment, and whether it is in quarantine."""
        (deployed,) = [item for item in self.ledger.deployments(ENVIRONMENT) if item.release_id == release_id]
        return self.ledger.release(release_id).state, deployed.state, bool(self.ledger.quarantined(release_id))


@pytest.fixture(scope="module")
def site(kubeconfig: str) -> Iterator[Site]:
    """One for all of these tests: each leaves the live release as it found it."""
    with fresh_site(kubeconfig) as made:
        yield made


@pytest.fixture(scope="module")
def production(site: Site, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Production:
    """With a verified release that users get."""
    world = Production(tmp_path_factory.mktemp("production"), site, images)
    settled = world.night()
    assert settled.verdict is Verdict.VERIFIED, settled
    site.wait_for_users()
    return world


@contextmanager
def as_it_was(production: Production, unharmed: bool = True) -> Iterator[None]:
    """Production and what the ledger says of it are the same afterwards. unharmed: users do not notice anything, either."""
    before = production.live
    with Load(production.site.port, requests_per_second=20) as load:
        yield
    assert production.live == before
    assert production.site.cluster().running() == before
    assert production.ledger.leased(ENVIRONMENT) is None
    production.site.wait_for_users(before)
    if unharmed:
        assert (load.failures, set(load.answers)) == ([], {before})


@pytest.mark.parametrize(
    ("mode", "deadline", "words"),
    [
        ("crash", 60, "cannot read /model/model.onnx: no such file"),
        ("never-ready", 6, "ready"),
        ("out-of-memory", 60, "memory"),
    ],
)
def test_never_there(production: Production, mode: str, deadline: int, words: str) -> None:
    """A release that does not come up: rejected with its own last words, and no user has met it."""
    with as_it_was(production):
        settled = production.night(mode, files=manifests(deadline=deadline))
    assert (settled.verdict, words in settled.message) == (Verdict.REJECTED, True), settled
    assert production.told_of(settled.release_id) == REJECTED


@pytest.mark.parametrize(
    ("mode", "verify_seconds", "words"),
    [("wrong", 2, "answers that differ from what was judged"), ("crash-when-ready", 20, "the model's worker has died")],
)
def test_there_and_bad(production: Production, mode: str, verify_seconds: int, words: str) -> None:
    """A release that is ready, and wrong or short-lived: rejected, and the one before it is back."""
    with as_it_was(production, unharmed=False):
        settled = production.night(mode, verify_seconds=verify_seconds, crash_after=10)
    assert (settled.verdict, words in settled.message) == (Verdict.REJECTED, True), settled
    assert f"{production.live} is back in production and verified" in settled.message
    assert production.told_of(settled.release_id) == REJECTED


@contextmanager
def no_more_pods(site: Site) -> Iterator[None]:
    """A quota that the live release uses up."""
    site.admin.create("resourcequotas", {"metadata": {"name": "two-pods"}, "spec": {"hard": {"pods": "2"}}})
    try:
        yield
    finally:
        site.admin.delete("resourcequotas", "two-pods")


@pytest.mark.parametrize(
    ("mode", "cpu", "quota", "words"),
    [
        ("missing", "10m", False, "sha256:0000"),
        ("good", "64", False, "Insufficient cpu"),
        ("good", "10m", True, "exceeded quota: two-pods"),
    ],
)
def test_not_its_fault(production: Production, mode: str, cpu: str, quota: bool, words: str) -> None:
    """What stands in a release's way is named: broken, with nothing in quarantine, and the next run tries again."""
    hindrance: AbstractContextManager[None] = no_more_pods(production.site) if quota else nullcontext()
    with as_it_was(production), hindrance:
        settled = production.night(mode, files=manifests(cpu=cpu))
    assert (settled.verdict, words in settled.message) == (Verdict.BROKEN, True), settled
    assert "the next run tries again" in settled.message
    assert production.told_of(settled.release_id) == BROKEN


def untouched(production: Production, settled: Settlement, verdict: Verdict, *words: str) -> None:
    """The night ended before it deployed anything, and said why."""
    assert settled.verdict is verdict, settled
    for word in words:
        assert word in settled.message
    assert "production was not touched" in settled.message
    assert [item for item in production.ledger.deployments(ENVIRONMENT) if item.release_id == settled.release_id] == []


def test_manifest_invalid(production: Production) -> None:
    """Every fault of the manifests is told at once, and the code is in quarantine."""
    broken = manifests()["app.yaml"].replace("readinessProbe", "readynessProbe").replace("minAvailable", "minAvailble")
    with as_it_was(production):
        settled = production.night(files={"app.yaml": broken})
    untouched(production, settled, Verdict.REJECTED, "readynessProbe", "minAvailble")
    tree = production.code.resolve("HEAD").tree
    assert "readynessProbe" in production.ledger.quarantined(tree)[0].reason


def test_verb_missing(production: Production) -> None:
    """What the role lacks is named before anything is changed."""
    role = production.site.role
    before = role.rules
    role.without("patch", "deployments")
    try:
        with as_it_was(production):
            settled = production.night()
    finally:
        role.change(before)
    untouched(production, settled, Verdict.BROKEN, "patch deployments.apps")


def test_expired_token(production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that does not know us is no fault of the release."""
    with as_it_was(production), monkeypatch.context() as patch:
        patch.setattr(production, "access", Access(production.site.role.kubeconfig, None, lambda: "expired"))
        settled = production.night()
    untouched(production, settled, Verdict.BROKEN, "does not know who asks")


def test_namespace_missing(production: Production, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace that is not there is named."""
    with as_it_was(production), monkeypatch.context() as patch:
        patch.setattr(production, "access", Access(yaml.safe_load(Path(kubeconfig).read_text())))
        patch.setattr(production, "namespace", "nt-site-not-there")
        settled = production.night()
    untouched(production, settled, Verdict.BROKEN, "nt-site-not-there")


def test_two_runs_at_once(production: Production) -> None:
    """Who comes second is told who deploys, and changes nothing."""
    production.ledger.lease(ENVIRONMENT, "rollback/7", timedelta(minutes=5))
    before = production.live
    settled = production.night()
    untouched(production, settled, Verdict.BROKEN, "rollback/7", "the next run tries again")
    production.ledger.release_lease(ENVIRONMENT, "rollback/7")
    assert (production.live, production.site.cluster().running()) == (before, before)


def test_field_taken(production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change by hand that the night must not put right stops it with the name of who made it, and stays."""
    production.site.admin.patch_strategic(
        "deployments", NAME, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 16}}}}, "kubectl-edit"
    )
    before = production.live
    with monkeypatch.context() as patch:
        patch.setattr(production, "drift", Drift.STOP)
        settled = production.night()
    assert (settled.verdict, "kubectl-edit" in settled.message) == (Verdict.BROKEN, True), settled
    assert production.live == before
    assert production.site.cluster().running() == before
    found = production.site.admin.get("deployments", NAME)
    assert found is not None
    assert found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 16
    assert production.night().verdict is Verdict.VERIFIED
