"""An app in its namespace: what there is of it now, read from the API server."""

from collections.abc import Callable
from dataclasses import dataclass

from nocturne.adapters.kubernetes import names
from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.api import KubernetesApi
from nocturne.adapters.kubernetes.foreign import refuse_foreign
from nocturne.adapters.kubernetes.manifests import read_manifests
from nocturne.adapters.kubernetes.rendering import PullSecret, Rendering
from nocturne.adapters.kubernetes.situation import Situation, sorted_out
from nocturne.domain.errors import Rejected
from nocturne.domain.strategy import Drift, Strategy, StrategyKind
from nocturne.ports.cluster import DesiredState


@dataclass(frozen=True)
class Site:
    """Where one app runs, and how the environment wants it to be released. repository: of its images, without host and tag.

    app: the label of its objects, of the app in this environment.
    """

    access: Access
    app: str
    repository: str
    namespace: str
    strategy: Strategy
    drift: Drift
    pull_secret: PullSecret | None
    log: Callable[[str], None]

    def api(self) -> KubernetesApi:
        """The API, to be opened by `async with`."""
        return KubernetesApi(self.access, self.namespace)

    def rendering(self, desired: DesiredState) -> Rendering:
        """The objects of a release. Raises Rejected with every fault of its manifests."""
        objects, faults = read_manifests(desired.manifests, self.namespace, self.repository)
        if objects is None:
            listing = "\n".join(f"  - {fault}" for fault in faults)
            raise Rejected(
                f"the manifests have faults:\n{listing}", advice="correct the app's manifests; docs/kubernetes.md lists them"
            )
        if "@sha256:" not in desired.image:
            raise Rejected(f"found the image {desired.image!r}, expected a reference by digest", advice="deploy by digest")
        return Rendering(self.app, objects, desired, self.pull_secret)

    async def situation(self, api: KubernetesApi, rendering: Rendering | None = None) -> Situation:
        """What there is of the app. rendering: the release that it is looked at for."""
        selector = f"{names.APP}={self.app}"
        services = (await api.list("Service", selector)).items
        deployments = (await api.list("Deployment", selector)).items
        return sorted_out(self.app, services, deployments, rendering)

    async def free_situation(self, api: KubernetesApi, rendering: Rendering) -> Situation:
        """The same for a release that is to come. Raises Conflict where somebody else has made what it needs the name of."""
        situation = await self.situation(api, rendering)
        base = rendering.objects.name
        wanted = [("Service", str(one["metadata"]["name"])) for one in rendering.objects.objects if one["kind"] == "Service"]
        wanted.append(("Deployment", names.deployment_name(base, situation.slot_for(self.strategy, rendering.desired))))
        if self.strategy.kind is StrategyKind.CANARY:
            wanted.append(("Deployment", names.canary_name(base)))
        await refuse_foreign(api, self.app, wanted)
        return situation
