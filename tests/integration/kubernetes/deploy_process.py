"""A run of its own: says when it is ready, applies and watches a release once a line comes in; how it ended is its last line.

Arguments: kubeconfig and desired state as JSON, token, namespace.
"""

import asyncio
import json
import sys

from nocturne.adapters.kubernetes.access import Access
from nocturne.adapters.kubernetes.cluster import KubernetesCluster
from nocturne.domain.errors import NocturneError
from nocturne.domain.strategy import Drift, Strategy
from nocturne.ports.cluster import DesiredState


async def end_of(cluster: KubernetesCluster, desired: DesiredState) -> str:
    async for rollout in cluster.watch(desired):
        last = rollout
    return f"{last.phase}: {last.message}"


def main() -> None:
    kubeconfig, wanted, token, namespace = sys.argv[1:]
    access, desired = Access(json.loads(kubeconfig), None, lambda: token), DesiredState(**json.loads(wanted))
    cluster = KubernetesCluster(access, "test-app", "test-app", namespace, Strategy(), Drift.CORRECT, port=8080, log=print)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        cluster.apply(desired)
        print(asyncio.run(end_of(cluster, desired)), flush=True)
    except NocturneError as error:
        print(f"{type(error).__name__}: {error.message}", flush=True)


if __name__ == "__main__":
    main()
