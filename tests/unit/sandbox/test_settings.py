from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nocturne.domain.errors import ConfigurationError
from nocturne.sandbox.remembered import Remembered, remember
from nocturne.sandbox.settings import Settings

CLONE = Path("/clone")


def read(**variables: str) -> Settings:
    return Settings.from_environment(variables, clone=CLONE)


def test_defaults_are_those_of_the_documentation() -> None:
    """Without any variable the ports are 8088, 8080, 5000 and 10000, and the state is in the clone."""
    settings = read()
    assert (settings.app_port, settings.airflow_port, settings.registry_port, settings.blob_port) == (8088, 8080, 5000, 10000)
    assert settings.home == CLONE / ".nocturne"
    assert (settings.service, settings.network, settings.front_door) == ("nocturne-app", "nocturne", "nocturne-front-door")


def test_log_ports_move_with_airflow() -> None:
    """Airflow's log servers keep their usual port beside 8080, and move along with another port of the UI."""
    assert read().task_log_port == 8793
    assert read(NOCTURNE_AIRFLOW_PORT="18080").task_log_port == 18793
    assert read(NOCTURNE_AIRFLOW_PORT="18080", NOCTURNE_TASK_LOG_PORT="4000").task_log_port == 4000


def test_every_fault_is_reported_at_once() -> None:
    """A port that is no number, one out of range, a bad name, an unknown target and a shared port make five faults."""
    with pytest.raises(ConfigurationError) as caught:
        read(
            NOCTURNE_APP_PORT="web",
            NOCTURNE_AIRFLOW_PORT="70000",
            NOCTURNE_NAME="My App",
            NOCTURNE_TARGET="mars",
            NOCTURNE_BLOB_PORT="5000",
        )
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    for variable in ("NOCTURNE_APP_PORT", "NOCTURNE_AIRFLOW_PORT", "NOCTURNE_NAME", "NOCTURNE_TARGET", "NOCTURNE_REGISTRY_PORT"):
        assert variable in faults


def test_kubernetes_needs_a_kubeconfig() -> None:
    """Without KUBECONFIG the target is a fault that says what to set; with it there is no front door, and so no port of one."""
    with pytest.raises(ConfigurationError, match="KUBECONFIG is not set, expected the kubeconfig of a cluster"):
        read(NOCTURNE_TARGET="kubernetes")
    with pytest.raises(ConfigurationError, match="expected one file"):
        read(NOCTURNE_TARGET="kubernetes", KUBECONFIG="/one:/two")
    settings = read(NOCTURNE_TARGET="kubernetes", KUBECONFIG="/one")
    assert settings.kubeconfig == Path("/one")
    assert "front door" not in [port.part for port in settings.ports]


def test_the_target_is_remembered(tmp_path: Path) -> None:
    """After `up` nobody has to say TARGET or KUBECONFIG again, and another target is refused."""
    remember(tmp_path, Remembered("kubernetes", "/one"))
    settings = read(NOCTURNE_HOME=str(tmp_path))
    assert (settings.target, settings.kubeconfig) == ("kubernetes", Path("/one"))
    assert read(NOCTURNE_HOME=str(tmp_path), KUBECONFIG="/two").kubeconfig == Path("/two")
    with pytest.raises(ConfigurationError, match=r"NOCTURNE_TARGET is 'swarm', but .* ships to 'kubernetes'"):
        read(NOCTURNE_HOME=str(tmp_path), NOCTURNE_TARGET="swarm")


def test_an_empty_variable_counts_as_unset() -> None:
    """`NOCTURNE_APP_PORT=` means the default, as in a shell's `${VAR:-default}`."""
    assert read(NOCTURNE_APP_PORT="", NOCTURNE_HOME="").app_port == 8088


@given(st.integers(1, 65535).filter(lambda port: port not in (8088, 5000, 10000)))
def test_derived_ports_are_ports(port: int) -> None:
    """Whatever port the UI has, the ports derived from it exist."""
    taken = {port + 713, port - 713, port + 1727, port - 1727} & {8088, 5000, 10000}
    assume(not taken)
    assert all(0 < each.number <= 65535 for each in read(NOCTURNE_AIRFLOW_PORT=str(port)).ports)


@pytest.mark.parametrize("distance", [1, 2, 10, 100, 1000])
def test_two_sandboxes_with_other_ports_share_none(distance: int) -> None:
    """Moving the four ports by any usual distance is enough for a second sandbox to run beside the first."""
    names = {"APP": 8088, "AIRFLOW": 8080, "REGISTRY": 5000, "BLOB": 10000}
    moved = {f"NOCTURNE_{name}_PORT": str(port + distance) for name, port in names.items()}
    first, second = read(), read(**moved)
    assert not {port.number for port in first.ports} & {port.number for port in second.ports}
