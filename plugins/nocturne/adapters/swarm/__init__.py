"""Docker Swarm as the place where a release runs.

The app brings one `compose.yaml`, a subset of the Compose specification (see `compose`). The service is reached by DNS
(`tasks.NAME` on an attachable overlay network), so it needs a front door there and no IPVS in the kernel.
"""

from nocturne.adapters.swarm.cluster import SwarmCluster
from nocturne.adapters.swarm.engine import RegistryCredentials
from nocturne.adapters.swarm.haproxy_traffic import HaproxyTraffic

__all__ = ["HaproxyTraffic", "RegistryCredentials", "SwarmCluster"]
