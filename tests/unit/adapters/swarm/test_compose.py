"""What a compose file may say, and how every mistake in it is reported."""

import pytest

from nocturne.adapters.swarm.compose import HealthCheck, Resources, Tmpfs, UpdatePolicy, read_manifests
from tests.unit.adapters.swarm.manifests import COMPOSE, THE_APPS, with_change

SECOND = 10**9


def test_reads_all_of_the_subset() -> None:
    """Every key of the subset is read, in the units of the Engine API."""
    app, faults = read_manifests({"swarm/compose.yaml": COMPOSE})
    assert faults == []
    assert app is not None
    assert app.environment == {"WORKERS": "2", "GREETING": "costs $5"}
    assert app.healthcheck == HealthCheck(("CMD", "python", "-m", "app.healthcheck"), SECOND, 3 * SECOND, 90 * SECOND, 3)
    assert (app.stop_grace_period, app.read_only, app.user, app.cap_drop) == (15 * SECOND, True, "10001:10001", ("ALL",))
    assert app.tmpfs == (Tmpfs("/tmp", 64 * 2**20, 0o1777),)
    assert app.replicas == 2
    assert app.update == UpdatePolicy("start-first", 1, SECOND // 2, "rollback", 5 * SECOND, 0.5)
    assert app.rollback == UpdatePolicy("start-first", 0, 0, "pause", SECOND, 0.0)
    assert (app.limits, app.reservations) == (Resources(SECOND // 2, 512 * 2**20), Resources(0, 64 * 2**20))


def test_the_apps_own_file_is_good() -> None:
    """The compose file that the app brings has no fault."""
    assert read_manifests({"compose.yaml": THE_APPS.read_text()})[1] == []


def test_says_nothing() -> None:
    """A service that says nothing starts first, one by one, and rolls back; the health check is the image's."""
    app, faults = read_manifests({"compose.yaml": "services: {web: {}}"})
    assert faults == []
    assert app is not None
    assert app.healthcheck is None
    assert app.replicas == 1
    assert app.update == UpdatePolicy("start-first", 1, 0, "rollback", 5 * SECOND, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "order: start-first",
            "order: start-frist",
            "services.web.deploy.update_config.order: found 'start-frist', expected one of 'start-first', 'stop-first'",
        ),
        ("replicas: 2", "replicas: two", "services.web.deploy.replicas: found a text 'two', expected a whole number"),
        ("replicas: 2", "replicas: 0", "services.web.deploy.replicas: found 0, expected a whole number from 1 to 1000"),
        ("read_only: true", "read_only: 1", "services.web.read_only: found a number 1, expected true or false"),
        ("retries: 3", "retrys: 3", "services.web.healthcheck.retrys: unknown key; did you mean 'retries'?"),
        ("interval: 1s", "interval: 1", "services.web.healthcheck.interval: found a number 1, expected a duration such as 10s"),
        ("timeout: 3s", "timeout: 3 s", "services.web.healthcheck.timeout: found '3 s' is no duration such as 500ms, 10s or 1m30s"),
        (
            "memory: 512M",
            "memory: lots",
            "services.web.deploy.resources.limits.memory: found 'lots' is no size such as 64k, 512M or 2g",
        ),
        (
            'cpus: "0.5"',
            "cpus: half",
            "services.web.deploy.resources.limits.cpus: found 'half', expected a number of cores such as '0.5'",
        ),
        ("[CMD, python", "[python", "services.web.healthcheck.test: found ['python', '-m', 'app.healthcheck'], expected a command"),
        ("WORKERS: 2", "WORKERS:", "services.web.environment.WORKERS: found None, expected a text or a number"),
        ("$$5", "$PRICE", "services.web.environment.GREETING: found 'costs $PRICE', expected no variable"),
        ("size=64m", "noexec", "services.web.tmpfs: found '/tmp:noexec,mode=1777', expected no other options than size and mode"),
        ("/tmp:size", "tmp:size", "services.web.tmpfs: found 'tmp:size=64m,mode=1777', expected an absolute path"),
        (
            "cap_drop: [ALL]",
            "cap_drop: {ALL: true}",
            "services.web.cap_drop: found a table {'ALL': True}, expected a text or a list",
        ),
        ("read_only: true", "image: nginx", "services.web.image: unknown key"),
        ("x-note:", "version:", "version: unknown key; expected one of services"),
        ("  web:", "  db: {}\n  web:", "services: found 2 services, expected one"),
    ],
)
def test_one_fault(before: str, after: str, fault: str) -> None:
    """A mistake is reported once, with the path of the key, what was found and what was expected."""
    faults = read_manifests(with_change(before, after))[1]
    assert len(faults) == 1, faults
    assert faults[0].startswith(fault)


def test_all_faults_at_once() -> None:
    """Mistakes in different places are all reported, in one go."""
    text = (
        COMPOSE.replace("replicas: 2", "replicas: two")
        .replace("order: start-first", "order: up")
        .replace("retries: 3", "retrys: 3")
    )
    assert len(read_manifests({"compose.yaml": text})[1]) == 3


@pytest.mark.parametrize("text", ["", "- a list", "services: [web]", "services: {web: hello}", "services: {web: {deploy: 3}}"])
def test_no_mappings(text: str) -> None:
    """Where a mapping should be and is none, that is a fault and no crash."""
    assert read_manifests({"compose.yaml": text})[1]


def test_not_yaml() -> None:
    """A file that is not YAML says where."""
    assert read_manifests({"compose.yaml": "a: [1"})[1][0].startswith("compose.yaml: not YAML: while parsing a flow sequence")


def test_environment_as_a_list() -> None:
    """Environment variables may be a list of NAME=value; an entry without a value is a fault."""
    app, faults = read_manifests({"compose.yaml": "services: {web: {environment: [A=1, B=x=y, C]}}"})
    assert app is not None
    assert app.environment == {"A": "1", "B": "x=y"}
    assert faults == ["services.web.environment: found 'C', expected NAME=value"]


def test_healthcheck_as_a_text() -> None:
    """A health check that is a text runs in a shell."""
    app, faults = read_manifests({"compose.yaml": "services: {web: {healthcheck: {test: 'exit 0'}}}"})
    assert faults == []
    assert app is not None
    assert app.healthcheck is not None
    assert app.healthcheck.test == ("CMD-SHELL", "exit 0")


def test_files() -> None:
    """The manifests are one compose.yaml and nothing else."""
    assert read_manifests({})[1] == ["compose.yaml: found 0 of them, expected one"]
    assert read_manifests({"compose.yaml": COMPOSE, "web.yaml": ""})[1] == [
        "web.yaml: found a file, expected nothing but compose.yaml"
    ]
