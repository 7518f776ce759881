"""The test site itself: its images run under the strictest rules, and do what their mode says."""

import time

import httpx
import pytest

from tests.integration.kubernetes.conftest import Releases, Site
from tests.integration.kubernetes.manifests import NAME, deployment, service, service_account

pytestmark = pytest.mark.kubernetes


def test_good_image(site: Site, release: Releases) -> None:
    """A good release answers through the Service's node port, with its own name and with labels for a golden set."""
    admin, desired = site.admin, release("r-good")
    wanted = deployment()
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = desired.image
    admin.create("serviceaccounts", service_account())
    admin.create("services", service())
    admin.create("deployments", wanted)
    deadline = time.monotonic() + 60
    while admin.get("deployments", NAME)["status"].get("availableReplicas") != 2:
        assert time.monotonic() < deadline, admin.get("pods")
        time.sleep(0.2)
    site.wait_for_users()
    # One connection: each new one may reach the other replica, which has counted nothing yet.
    with httpx.Client(base_url=f"http://127.0.0.1:{site.port}") as client:
        assert client.get("/").text == "r-good"
        assert client.post("/score", json={"input": '["7abc"]'}).json()["result"][0] == [[["7", 99.0]]]
        assert 'http_requests_total{route="/",status="200"}' in client.get("/metrics").text
