"""How HAProxy's statistics are read."""

from nocturne.adapters.swarm.haproxy_traffic import read_traffic
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
