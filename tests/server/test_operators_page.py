"""What the commands in `docs/operations.md` say of the stack, without running them."""

import re

from tests.server.operators_page import PAGE, blocks
from tests.server.test_compose_file import SERVICES

STOP = "docker compose stop "
# With the profile celery, `worker` too, as the page says behind each.
AIRFLOW = {name for name, service in SERVICES.items() if service.get("command", [""])[0] == "airflow" and "profiles" not in service}


def stopped(command: str) -> set[str]:
    """The services that a line stops."""
    return set(command.partition("#")[0].removeprefix(STOP).split())


def test_all_of_airflow_is_stopped() -> None:
    """Wherever the page stops or restarts Airflow it names each of its services, and the worker behind them."""
    found = re.findall(r"docker compose (?:re)?st(?:op|art) ([a-z -]*scheduler[a-z -]*)(.*)", PAGE.read_text())
    assert len(found) == 4
    for services, behind in found:
        assert set(services.split()) == AIRFLOW, services
        assert "worker" in behind, services


def test_nothing_old_runs_on_newer_tables() -> None:
    """An upgrade stops all of Airflow between building the new image and starting what migrates, as the way back does."""
    there, back = blocks("Upgrade")
    commands = [line for line in there.splitlines() if line.startswith("docker compose")]
    assert [command.split()[2] for command in commands] == ["build", "stop", "up"]
    assert stopped(commands[1]) == stopped(back.splitlines()[0]) == AIRFLOW


def test_every_variable_of_an_example_is_known() -> None:
    """What the page puts into `.env` is one of the variables of `.env.example`."""
    known = set(re.findall(r"^#([A-Z_]+)=", (PAGE.parents[1] / ".env.example").read_text(), re.MULTILINE))
    examples = "".join(blocks("Install") + blocks("More workers") + blocks("PostgreSQL elsewhere"))
    lines = [line for line in examples.splitlines() if ">> .env" in line or re.match("[A-Z_]+=", line)]
    named = set(re.findall(r"\b([A-Z_]{3,})=", "\n".join(lines)))
    assert {"EXECUTOR", "WORKERS", "NOCTURNE_DATABASE_HOST", "NOCTURNE_CODE"} <= named <= known
