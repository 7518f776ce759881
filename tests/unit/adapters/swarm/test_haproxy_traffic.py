"""How HAProxy's statistics are read."""

import pytest

from nocturne.adapters.swarm.haproxy_traffic import HaproxyTraffic, read_traffic
from nocturne.domain.errors import Broken
from nocturne.ports.cluster import Traffic

STATISTICS = """\
# pxname,svname,req_tot,hrsp_5xx,srv_abrt,
public,FRONTEND,1200,3,,
app,task1,700,1,0,
app,BACKEND,1200,3,2,
numbers,FRONTEND,9,0,,
"""


def test_traffic() -> None:
    """Failed are the answers with 5xx, whoever made them, and those that were cut short; other front ends do not count."""
    assert read_traffic(STATISTICS) == Traffic(requests=1200, failed=5)


def test_statistics_of_something_else() -> None:
    """A page that is not the front door's is an error that says what is missing, never a count of nothing."""
    with pytest.raises(LookupError, match="found no public FRONTEND"):
        read_traffic("<html>welcome</html>")
    with pytest.raises(LookupError, match="found no app BACKEND"):
        read_traffic(STATISTICS.replace("app,", "other,"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "front-door:8404"])
def test_a_front_door_that_does_not_answer(url: str) -> None:
    """An address where nobody is, or that is none, is an error that names it."""
    with pytest.raises(Broken, match=f"the front door at {url} does not tell its numbers"):
        HaproxyTraffic.at(url)()
