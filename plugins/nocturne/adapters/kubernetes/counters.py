"""What the users have asked of pods, as the app itself counts it.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from nocturne.adapters.kubernetes.api import KubernetesApi, Object
from nocturne.adapters.kubernetes.pod_answer import is_leaving, server_refusal
from nocturne.adapters.kubernetes.trouble import container_statuses
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Counters, Traffic

METRIC = "http_requests_total"
"""A counter with the labels `route` and `status`."""
_OF_MACHINES = ("/healthz", "/readyz", "/livez", "/metrics")
"""Routes that the cluster and its monitoring ask; most apps do not count them in the first place."""
_PATH = "/metrics"


async def counted(api: KubernetesApi, selector: str, port: int, log: Callable[[str], None]) -> Counters | None:
    """What each pod of a selector has counted since its containers started, None when none of them tells. port: of their container.

    log: is told why, where a pod answers with something else. Raises Broken when no pod can be asked.
    """
    pods = [pod for pod in (await api.list("Pod", selector)).items if _runs(pod)]
    if not pods:
        raise Broken(f"found no running pod of {selector}, expected at least one", advice="see how the pods are")
    told = await asyncio.gather(*(_told(api, str(pod["metadata"]["name"]), port) for pod in pods))
    refusals = [each.why for each in told if isinstance(each, _Refusal) and each.unreached]
    if len(refusals) == len(told):
        raise Broken(f"no pod can be asked for {_PATH}: {'; '.join(refusals)}", advice="see how the pods are")
    for why in dict.fromkeys(each.why for each in told if isinstance(each, _Refusal)):
        log(f"no count of users' requests: {why}")
    if not any(isinstance(each, Traffic) for each in told):
        return None
    return {_key(pod): each if isinstance(each, Traffic) else None for pod, each in zip(pods, told, strict=True)}


def read_traffic(text: str) -> Traffic | None:
    """The requests in an app's metrics, None when they are not among them. Raises ValueError for another format."""
    families = list(text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples if sample.name == METRIC]
    # The parser takes the ending off the name of a counter that is declared as one.
    if not samples and not any(family.type == "counter" and f"{family.name}_total" == METRIC for family in families):
        return None
    users = [sample for sample in samples if sample.labels.get("route") not in _OF_MACHINES]
    failed = [sample for sample in users if sample.labels.get("status", "").startswith("5")]
    return Traffic(int(sum(sample.value for sample in users)), int(sum(sample.value for sample in failed)))


@dataclass(frozen=True)
class _Refusal:
    """Why a pod has told nothing. unreached: it could not even be asked."""

    why: str
    unreached: bool = False


async def _told(api: KubernetesApi, pod: str, port: int) -> Traffic | _Refusal | None:
    """What a pod has counted, None when it counts nothing."""
    answer = await api.proxy(pod, port, "GET", _PATH)
    if refusal := server_refusal(answer):
        # Gone since it was listed, with its counters, or without a listener.
        return _Refusal(f"{pod}: {refusal}", unreached=True)
    if answer.status == 404:
        return None
    # The path may be somebody else's: a page of the app, or numbers behind a password. That is no fault of a release.
    if answer.status != 200:
        return _Refusal(f"GET {_PATH} of pod {pod} answered {answer.status}, expected 200")
    try:
        return read_traffic(answer.body.decode())
    except ValueError as error:
        return _Refusal(f"GET {_PATH} of pod {pod} gave no Prometheus text: {' '.join(str(error).split())[:200]}")


def _key(pod: Object) -> str:
    """Counters begin with nothing in each new pod, and when a container of it is started again."""
    return f"{pod['metadata']['uid']}/{sum(int(status.get('restartCount', 0)) for status in container_statuses(pod))}"


def _runs(pod: Object) -> bool:
    # A pod that is not ready any more has served users before.
    return not is_leaving(pod) and pod["status"].get("phase") == "Running"
