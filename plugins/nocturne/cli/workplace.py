"""What a command works on: the deployed configuration, the connections, and the world behind them."""

import json
import os
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from nocturne.cli.output import err
from nocturne.composition import ConnectedWorld, deployed_configuration
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

_CLONE = Path(__file__).resolve().parents[3]


def home() -> Path:
    """NOCTURNE_HOME, or `.nocturne` beside `plugins/`."""
    return Path(os.environ.get("NOCTURNE_HOME") or _CLONE / ".nocturne")


def world() -> ConnectedWorld:
    """The world of a command. What it logs goes to standard error."""
    join_sandbox()
    return ConnectedWorld(deployed_configuration(), connection, log=lambda line: err.print(line, markup=False))


def ships_to(world: ConnectedWorld, environment: str) -> bool:
    """Whether this installation does: one `release.toml` may serve several, each with connections for its own environments."""
    return environment == world.configuration.night.environment or world.connected(environment)


def join_sandbox() -> None:
    """Make this process ship to where the sandbox of the home ships, unless its environment says otherwise."""
    os.environ.setdefault("NOCTURNE_HOME", str(home()))
    if environment := _sandbox_variables().get("NOCTURNE_ENVIRONMENT"):
        os.environ.setdefault("NOCTURNE_ENVIRONMENT", environment)


def connection(connection_id: str) -> Connection:
    """A connection from the variable AIRFLOW_CONN_<ID>, or from the sandbox's `connections.env`; else as Airflow finds it.

    Raises ConfigurationError.
    """
    name = f"AIRFLOW_CONN_{connection_id.upper()}"
    text = os.environ.get(name) or _sandbox_variables().get(name)
    if text is None or not text.lstrip().startswith("{"):
        return _airflows_own(connection_id)
    raw = _parsed(connection_id, name, text)
    return Connection(
        id=connection_id,
        kind=raw.get("conn_type", ""),
        host=raw.get("host", ""),
        port=raw.get("port"),
        login=raw.get("login", ""),
        password=raw.get("password", ""),
        extra=raw.get("extra") or {},
    )


def _airflows_own(connection_id: str) -> Connection:
    """In another form of the variable, from a secrets backend, or from Airflow's database."""
    # Airflow logs to what is standard output when it is loaded, where a command's result stands alone.
    with redirect_stdout(sys.stderr):
        # Only now, because it takes seconds to load.
        from nocturne.airflow.connections import airflow_connection
        from nocturne.cli import airflow_database

        with airflow_database.consulted():
            return airflow_connection(connection_id)


def _parsed(connection_id: str, name: str, text: str) -> dict[str, Any]:
    try:
        raw: dict[str, Any] = json.loads(text)
    except ValueError as error:
        fault = f'{name}: found no JSON object ({error}), expected one like {{"conn_type": "generic", "host": "..."}}'
        raise ConfigurationError(f"the connection {connection_id}", [fault]) from error
    return raw


def _sandbox_variables() -> dict[str, str]:
    file = home() / "connections.env"
    if not file.is_file():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}
