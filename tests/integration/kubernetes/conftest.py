"""A namespace of a test's own on a real cluster, a role with the least rights, and releases that behave well or badly.

The cluster is the one that KUBECONFIG names. One of its nodes has to be this machine: pods pull from a registry on localhost, and
users' requests come in through a NodePort on 127.0.0.1.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.cluster import KubernetesCluster
from nocturne.domain.strategy import Canary, Drift, Strategy, StrategyKind
from nocturne.ports.cluster import Cluster, DesiredState, Phase, Rollout, Stage
from nocturne.sandbox.debian import PROGRAMS, install, missing
from nocturne.sandbox.programs import Programs
from tests.conftest import FOLDER, installing
from tests.integration.kubernetes.admin import Admin
from tests.integration.kubernetes.images import REPOSITORY, Images, python_layer
from tests.integration.kubernetes.manifests import APP, NAME, manifests
from tests.integration.kubernetes.role import Role, make_role
from tests.integration.oci_registry.local_registry import local_registry

CANARY = Canary(share=0.34, seconds=5, min_requests=10)
_NEEDED = ("docker-registry", "mmdebstrap")


@pytest.fixture(scope="session", autouse=True)
def _prepared(kubeconfig: str) -> None:
    """Unlike its namesake for other systems: no container engine is needed here, only a registry and what images are made of."""
    with installing():
        lacking = [program for program in missing(PROGRAMS) if program.name in _NEEDED]
        if lacking:
            install(lacking, Programs(FOLDER))
    assert all(shutil.which(name) for name in _NEEDED), f"these tests need {', '.join(_NEEDED)}"


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """The file that KUBECONFIG names. Where there is none that answers, these tests do not run: tests/conftest.py."""
    return os.environ["KUBECONFIG"]


@pytest.fixture(scope="session")
def images(_prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """A registry of this run's own, and a way to push the test app to it."""
    with local_registry(tmp_path_factory.mktemp("registry")) as registry:
        pushing = Images(registry.host, python_layer(FOLDER))
        yield pushing
        pushing.close()


class Releases:
    """Releases of the test app by name and mode, pushed when first asked for."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._pushed: dict[tuple[str, str], str] = {}

    def __call__(
        self, name: str, mode: str = "good", *, crash_after: float = 3, files: dict[str, str] | None = None
    ) -> DesiredState:
        """mode: good, never-ready, crash, crash-when-ready (after some seconds), crash-when-asked (GET /crash), flapping, wrong,
        slow (0.3 s), errors, no-metrics, out-of-memory, or missing (an image that the registry does not have). files: other
        manifests than the usual.
        """
        if (name, mode) not in self._pushed:
            environment = {"RELEASE": name, "MODE": mode, "CRASH_AFTER": str(crash_after)}
            self._pushed[name, mode] = self._images.missing() if mode == "missing" else self._images.push(environment)
        annotations = {"release": name, "commit": "3f2a", "model": "digits-1", "run": f"run-{name}", "requested-by": "tests"}
        return DesiredState(name, self._pushed[name, mode], manifests() if files is None else files, annotations)


@pytest.fixture(scope="session")
def release(images: Images) -> Releases:
    """A way to get a release."""
    return Releases(images)


@dataclass
class Site:
    """Where a test deploys. logged: what the clusters made here have said."""

    admin: Admin
    role: Role
    logged: list[str] = field(default_factory=list)

    def cluster(
        self,
        strategy: StrategyKind = StrategyKind.ROLLING,
        drift: Drift = Drift.CORRECT,
        canary: Canary = CANARY,
        access: Access | None = None,
        namespace: str = "",
        app: str = APP,
    ) -> Cluster:
        """The adapter with the rights of the role, or with another access."""
        return KubernetesCluster(
            access or self.role.access,
            app,
            REPOSITORY,
            namespace or self.admin.namespace,
            Strategy(strategy, keep_seconds=5, canary=canary),
            drift,
            port=8080,
            node_address="127.0.0.1",
            log=self.logged.append,
        )

    @property
    def port(self) -> int:
        """Where users' requests come in, on 127.0.0.1."""
        found = self.admin.get("services", NAME)
        assert found is not None
        return int(found["spec"]["ports"][0]["nodePort"])

    def deploy(self, desired: DesiredState, strategy: StrategyKind = StrategyKind.ROLLING) -> Cluster:
        """Roll a release out until users get it, and return the cluster."""
        cluster = self.cluster(strategy)
        cluster.apply(desired)
        last = watch_to_end(cluster, desired)[-1]
        assert last.phase is Phase.COMPLETE, last
        self.wait_for_users()
        return cluster

    def wait_for_users(self, release: str = "") -> None:
        """A node's proxy takes up to some seconds to learn of a new Service, and then of each of its addresses. release: whose
        answers count, empty for any.
        """
        deadline, answered = time.monotonic() + 60, 0
        while answered < 10:
            try:
                answer = httpx.get(f"http://127.0.0.1:{self.port}/").raise_for_status().text
                answered = answered + 1 if release in ("", answer) else 0
            except httpx.HTTPError:
                answered = 0
            assert time.monotonic() < deadline, f"the node port does not answer on 127.0.0.1 {release and f'as {release}'}"
            time.sleep(0.05)


@contextmanager
def fresh_site(kubeconfig: str) -> Iterator[Site]:
    """A namespace that is removed at the end, with its role."""
    admin = Admin(kubeconfig).make_namespace("nt-site-")
    try:
        yield Site(admin, make_role(admin, kubeconfig))
    finally:
        admin.remove_namespace()


@pytest.fixture
def site(kubeconfig: str) -> Iterator[Site]:
    """A namespace of the test's own, and clusters upon it."""
    with fresh_site(kubeconfig) as made:
        yield made


@pytest.fixture
def live(site: Site, release: Releases) -> DesiredState:
    """A good release that users get."""
    desired = release("r-live")
    site.deploy(desired)
    return desired


@pytest.fixture
def admin(site: Site) -> Admin:
    """The administrator, in the test's namespace."""
    return site.admin


@pytest.fixture
def namespace(site: Site) -> str:
    """The name of the test's namespace."""
    return site.admin.namespace


@pytest.fixture
def role(site: Site) -> Role:
    """The Role as it is shipped: whatever a test does through the adapter, it does with these rights."""
    return site.role


@pytest.fixture
def api(role: Role) -> KubernetesApi:
    """The API with the role's rights, to be opened by `async with`."""
    return KubernetesApi(role.access, role.admin.namespace)


def watch_to_end(cluster: Cluster, desired: DesiredState, seconds: float = 90) -> list[Rollout]:
    """Everything that `watch` says until it ends; TimeoutError after `seconds`."""

    async def watch() -> list[Rollout]:
        async with asyncio.timeout(seconds):
            return [rollout async for rollout in cluster.watch(desired)]

    return asyncio.run(watch())


def in_stage(desired: DesiredState, stage: Stage) -> DesiredState:
    """The same release, asked for in a stage."""
    return replace(desired, stage=stage)


def in_run(desired: DesiredState, run: str) -> DesiredState:
    """The same release, asked for by another run."""
    return replace(desired, annotations={**desired.annotations, "run": run})
