"""What the engine is asked for."""

from nocturne.adapters.swarm import labels
from nocturne.adapters.swarm.compose import read_manifests
from nocturne.adapters.swarm.service_spec import service_spec, with_next_attempt
from tests.unit.adapters.swarm.engine_answers import DESIRED
from tests.unit.adapters.swarm.manifests import COMPOSE

APP, _ = read_manifests({"compose.yaml": COMPOSE})
assert APP is not None
SPEC = service_spec(APP, DESIRED, "web", "front")


def test_task() -> None:
    """A task has the image by digest, and all that the compose file says of it."""
    container = SPEC["TaskTemplate"]["ContainerSpec"]
    assert container["Image"] == DESIRED.image
    assert container["Env"] == ["GREETING=costs $5", "WORKERS=2"]
    assert (container["ReadOnly"], container["CapabilityDrop"], container["User"]) == (True, ["ALL"], "10001:10001")
    assert container["Mounts"] == [{"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 67108864, "Mode": 0o1777}}]
    assert container["Healthcheck"]["StartPeriod"] == 90 * 10**9
    assert SPEC["TaskTemplate"]["Resources"]["Limits"] == {"NanoCPUs": 500_000_000, "MemoryBytes": 536870912}
    assert SPEC["TaskTemplate"]["Networks"] == [{"Target": "front"}]


def test_service() -> None:
    """The service is found by DNS, starts first and rolls back by itself."""
    assert SPEC["EndpointSpec"] == {"Mode": "dnsrr"}
    assert SPEC["UpdateConfig"]["Order"] == "start-first"
    assert SPEC["UpdateConfig"]["FailureAction"] == "rollback"
    assert SPEC["RollbackConfig"]["Monitor"] == 10**9


def test_annotations() -> None:
    """Annotations become labels of the service; containers have only what changes with each update anyway."""
    assert SPEC["Labels"] == {"nocturne.run": "night-7", "nocturne.release": "r-new", "nocturne.attempt": "r-new/night-7"}
    assert SPEC["TaskTemplate"]["ContainerSpec"]["Labels"].keys() == {labels.RELEASE, labels.ATTEMPT}


def test_announcing() -> None:
    """Announcing the next attempt changes one label of the service, and no task."""
    announced = with_next_attempt(SPEC, DESIRED)
    assert announced["TaskTemplate"] == SPEC["TaskTemplate"]
    assert announced["Labels"] == {**SPEC["Labels"], labels.NEXT: "r-new/night-7"}
    assert labels.NEXT not in SPEC["Labels"]
