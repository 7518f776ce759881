"""A process that deploys and watches, to be killed: the service, the network, and the desired state as JSON come as arguments."""

import asyncio
import json
import sys

import docker

from nocturne.adapters.swarm import SwarmCluster
from nocturne.ports.cluster import DesiredState


async def main() -> None:
    service, desired = sys.argv[1], DesiredState(**json.loads(sys.argv[2]))
    cluster = SwarmCluster(docker.from_env(), service, service, "http://127.0.0.1:9")
    print(cluster.apply(desired), flush=True)
    async for rollout in cluster.watch(desired):
        print(rollout.message, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
