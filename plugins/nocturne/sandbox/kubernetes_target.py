"""Kubernetes as what the sandbox ships to."""

from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.sandbox.cluster_app import ClusterApp
from nocturne.sandbox.kubernetes import SandboxNamespace
from nocturne.sandbox.part import PartStatus
from nocturne.sandbox.progress import Report
from nocturne.sandbox.remembered import file_of
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.steps_in_parallel import Step
from nocturne.sandbox.target import Target


class KubernetesTarget(Target):
    """A cluster that is there already, with a namespace for this sandbox."""

    in_engine = False
    needs = {"app": ("cluster",)}

    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._namespace = SandboxNamespace(settings)
        self.parts = (ClusterApp(settings),)

    def steps(self) -> list[Step]:
        """The namespace."""
        return [Step("cluster", self._cluster)]

    def status(self) -> list[PartStatus]:
        """The cluster."""
        try:
            return [PartStatus("cluster", running=True, detail=self._namespace.version())]
        except (Broken, ConfigurationError) as error:
            return [PartStatus("cluster", running=False, detail=error.message)]

    def remove(self) -> str:
        """The namespace."""
        name, file = self._settings.name, file_of(self._settings.home)
        try:
            return f"namespace {name}" if self._namespace.remove() else f"no namespace {name}"
        except (Broken, ConfigurationError) as error:
            raise Broken(
                f"the namespace {name} cannot be removed: {error.message}",
                advice=f"have the cluster answer and run this again; where it is gone for good, remove {file} first",
            ) from error

    def _cluster(self) -> None:
        self._report.working("cluster", f"making the namespace {self._settings.name}")
        self._namespace.ensure(lambda text: self._report.working("cluster", text))
        found, registry = self._namespace.version(), self._settings.registry_host
        self._report.ready("cluster", f"{found}, namespace {self._settings.name}; its nodes pull from {registry}")
