"""What users sent, as the HAProxy in front of the swarm counts it."""

import csv
import io

import docker
import httpx
from docker.errors import DockerException
from requests.exceptions import RequestException

from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Traffic

STATS_PORT = 8404
"""Where HAProxy serves its statistics, in its container. The front end for users is named `public`, the back end `app`."""


class HaproxyTraffic:
    """The counters of one HAProxy container, whose port for statistics is published on this machine.

    An instance is called for the numbers, so it is a traffic source of a cluster.
    """

    def __init__(self, client: docker.DockerClient, container: str) -> None:
        self._client = client
        self._container = container

    def __call__(self) -> Traffic:
        """What users sent since the container started, and what failed: 5xx whoever made it, and answers cut short.

        An attempt that failed but was sent again with success is no failure. Raises Broken.
        """
        try:
            answer = httpx.get(f"http://127.0.0.1:{self._port()}/;csv", timeout=5)
            answer.raise_for_status()
        except (DockerException, RequestException, httpx.HTTPError, LookupError) as error:
            raise Broken(f"the front door {self._container} does not tell its numbers: {error}", advice="see if it runs") from error
        return read_traffic(answer.text)

    def _port(self) -> str:
        # Asked for each time: the engine chooses another free port at each start.
        published = self._client.containers.get(self._container).ports.get(f"{STATS_PORT}/tcp")
        if not published:
            raise LookupError("its port for statistics is not published")
        return published[0]["HostPort"]


def read_traffic(statistics: str) -> Traffic:
    """The numbers of the public front end in HAProxy's statistics.

    Source: https://docs.haproxy.org/2.6/management.html#9.1
    """
    rows = {(row["# pxname"], row["svname"]): row for row in csv.DictReader(io.StringIO(statistics))}
    public, app = rows["public", "FRONTEND"], rows["app", "BACKEND"]
    return Traffic(requests=int(public["req_tot"]), failed=int(public["hrsp_5xx"]) + int(app["srv_abrt"] or 0))
