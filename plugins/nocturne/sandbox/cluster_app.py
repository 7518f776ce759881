"""The cluster and the app in it, as parts that the sandbox looks at but does not stop."""

from nocturne.domain.errors import NocturneError
from nocturne.sandbox.kubernetes import SandboxNamespace
from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.progress import Report
from nocturne.sandbox.settings import Settings


class ClusterApp(Part):
    """The app in its namespace: made by the first release, it goes on running there, whatever the sandbox does."""

    name = "app"
    left_running = "goes on running in the cluster; `make clean` removes it"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._namespace = SandboxNamespace(settings)

    def start(self, report: Report) -> None:
        """Nothing to start: only tells how it is."""
        report.ready(self.name, self._words())

    def stop(self) -> bool:
        """Left alone."""
        return False

    def status(self) -> PartStatus:
        """By its pods."""
        try:
            found = self._namespace.replicas()
        except NocturneError as error:
            return PartStatus(self.name, running=False, detail=error.message)
        return PartStatus(self.name, running=found is not None and found[0] == found[1] > 0, detail=self._words())

    def _words(self) -> str:
        found = self._namespace.replicas()
        where = f"in namespace {self._settings.name}"
        return f"no release yet {where}" if found is None else f"{found[0]} of {found[1]} pods are ready {where}"
