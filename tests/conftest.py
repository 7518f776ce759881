import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from nocturne.sandbox import Settings, down, prepare
from nocturne.sandbox.progress import LineReport
from tests.cluster import cluster_lacks

FOLDER = Path(__file__).parents[1] / ".nocturne-test"
NO_CLUSTER = "no Kubernetes cluster: "
# How long an example takes says what else this machine does. Whether a change is good must not depend on which examples came up.
settings.register_profile("nocturne", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nocturne")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a cluster are left out where there is none; where they must not be, nothing runs at all."""
    in_need = [item for item in items if item.get_closest_marker("kubernetes")]
    if not in_need or not (reason := cluster_lacks(os.environ.get("KUBECONFIG", ""))):
        return
    if os.environ.get("NOCTURNE_TESTS_NEED_CLUSTER"):
        raise pytest.UsageError(f"{NO_CLUSTER}{reason}; NOCTURNE_TESTS_NEED_CLUSTER says that there must be one")
    for item in in_need:
        item.add_marker(pytest.mark.skip(reason=f"{NO_CLUSTER}{reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Whoever reads only the end learns what was not tested."""
    reasons = [_reason(report) for report in terminalreporter.stats.get("skipped", [])]
    left_out = [reason for reason in reasons if NO_CLUSTER in reason]
    if left_out:
        terminalreporter.section("NOT TESTED: KUBERNETES", sep="!", red=True, bold=True)
        terminalreporter.line(f"{len(left_out)} tests were left out. {left_out[0]}", red=True)
        terminalreporter.line(
            "To run them: KUBECONFIG=<of a cluster whose nodes pull from this machine's localhost> make test", red=True
        )


def _reason(report: object) -> str:
    found = getattr(report, "longrepr", None)
    return str(found[2]).removeprefix("Skipped: ") if isinstance(found, tuple) else str(found)


@pytest.fixture(scope="session")
def prepared() -> Iterator[None]:
    """Programs, Azurite and a running engine, installed and started where they are missing; the engine is given back at the end.

    Each of several test processes is a user of the engine of its own; only the installing is done by one at a time.
    """
    name = f"nocturne-tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    sandbox = Settings.from_environment({"NOCTURNE_HOME": str(FOLDER / name), "NOCTURNE_NAME": name})
    report = LineReport(sys.stderr)
    with installing():
        prepare(sandbox, report)
    yield
    down(sandbox, report)


@contextmanager
def installing() -> Iterator[None]:
    """Nobody else installs anything, whatever it is: apt-get does not wait for another one. Not to be taken twice."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
