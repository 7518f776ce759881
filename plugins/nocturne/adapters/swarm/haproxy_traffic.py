"""What users sent, as the HAProxy in front of the swarm counts it."""

import csv
import io
from collections.abc import Callable
from typing import Self

import docker
import httpx
from docker.errors import DockerException
from requests.exceptions import RequestException

from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Traffic

STATS_PORT = 8404
"""Where HAProxy serves its statistics, in its container. The front end for users is named `public`, the back end `app`."""


class HaproxyTraffic:
    """The counters of one HAProxy. An instance is called for the numbers, so it is a traffic source of a cluster.

    name: how messages call it. address: finds the URL of its statistics, anew each time.
    """

    def __init__(self, name: str, address: Callable[[], str]) -> None:
        self._name = name
        self._address = address

    @classmethod
    def at(cls, url: str) -> Self:
        """The HAProxy whose statistics are at this URL."""
        return cls(f"at {url}", lambda: url)

    @classmethod
    def of_container(cls, client: docker.DockerClient, container: str) -> Self:
        """The HAProxy in a container whose port for statistics is published on this machine."""
        return cls(container, lambda: _published(client, container))

    def __call__(self) -> Traffic:
        """What users sent since it started, and what failed: 5xx whoever made it, and answers cut short.

        An attempt that failed but was sent again with success is no failure. Raises Broken.
        """
        try:
            answer = httpx.get(f"{self._address().rstrip('/')}/;csv", timeout=5)
            answer.raise_for_status()
            return read_traffic(answer.text)
        except (DockerException, RequestException, httpx.HTTPError, httpx.InvalidURL, LookupError) as error:
            raise Broken(f"the front door {self._name} does not tell its numbers: {error}", advice="see if it runs") from error


def _published(client: docker.DockerClient, container: str) -> str:
    # The engine chooses another free port at each start.
    published = client.containers.get(container).ports.get(f"{STATS_PORT}/tcp")
    if not published:
        raise LookupError("its port for statistics is not published")
    return f"http://127.0.0.1:{published[0]['HostPort']}"


def read_traffic(statistics: str) -> Traffic:
    """The numbers of the public front end in HAProxy's statistics. Raises LookupError when there is none.

    Source: https://docs.haproxy.org/2.6/management.html#9.1
    """
    rows = {(row.get("# pxname"), row.get("svname")): row for row in csv.DictReader(io.StringIO(statistics))}
    if missing := [name for name in (("public", "FRONTEND"), ("app", "BACKEND")) if name not in rows]:
        raise LookupError(f"found no {' '.join(missing[0])} in its statistics, expected a front end `public` and a back end `app`")
    public, app = rows["public", "FRONTEND"], rows["app", "BACKEND"]
    return Traffic(requests=int(public["req_tot"]), failed=int(public["hrsp_5xx"]) + int(app["srv_abrt"] or 0))
