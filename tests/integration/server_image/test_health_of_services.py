"""The health check, asked of Airflow's real services in the server's image."""

import time
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]
SERVICES = ("api-server", "scheduler", "triggerer", "dag-processor")
_HEALTH = ("python", "-P", "/opt/nocturne/plugins/nocturne/server/health.py")

# To the service's own process, the first of that name; its children have the name as well.
_SIGNAL = """
import contextlib, os, pathlib, signal, sys
service, name = sys.argv[1:]
pids = []
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    # A process may end while it is looked at.
    with contextlib.suppress(OSError):
        words = (folder / "cmdline").read_text().replace("_", "-").replace("\\0", " ").split()
        if service in words and any(word.endswith("airflow") for word in words):
            pids.append(int(folder.name))
os.kill(min(pids), signal.Signals[f"SIG{name}"])
"""


@pytest.fixture(scope="module")
def container(client: docker.DockerClient, image: str) -> Iterator[Container]:
    """All four services as children of one, each of which may be silent for 20 s."""
    started = client.containers.run(
        image,
        ["airflow", "standalone"],
        detach=True,
        init=True,
        read_only=True,
        tmpfs=dict.fromkeys(("/opt/airflow", "/home/airflow/.cache", "/tmp"), "mode=1777"),
        network_mode="none",
        environment={
            "NOCTURNE_API_SERVER": "http://127.0.0.1:8080",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
            "AIRFLOW__DAG_PROCESSOR__HEALTH_CHECK_THRESHOLD": "20",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "20",
        },
    )
    yield started
    started.remove(force=True)


def send(container: Container, service: str, name: str) -> None:
    """Send the service's own process a signal by its name without SIG."""
    code, output = container.exec_run(["python", "-c", _SIGNAL, service, name])
    assert code == 0, output.decode()


def asked(container: Container, service: str) -> str:
    """What the check says; empty when the service is well."""
    code, output = container.exec_run([*_HEALTH, service])
    return "" if code == 0 else output.decode().strip() or f"exit code {code}"


def eventually(container: Container, service: str, *, well: bool) -> str:
    """What the check says in the end, which may take a loaded machine minutes."""
    deadline = time.monotonic() + 300
    while bool(said := asked(container, service)) == well and time.monotonic() < deadline:
        time.sleep(1)
    return said


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_well(container: Container, service: str) -> None:
    """Not well before it is up, well then, without any setting of Airflow's but the image's own."""
    assert eventually(container, service, well=True) == ""


@pytest.mark.parametrize("service", SERVICES[1:])
def test_a_service_that_hangs_is_not_well(container: Container, service: str) -> None:
    """Its process is there and its port is open, and yet it does nothing: the heartbeat tells. It gets well when it goes on."""
    assert eventually(container, service, well=True) == ""
    send(container, service, "STOP")
    try:
        assert service.replace("-", "_") in eventually(container, service, well=False).replace("-", "_")
    finally:
        send(container, service, "CONT")
    assert eventually(container, service, well=True) == ""
