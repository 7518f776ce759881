"""What a command works on: the deployed configuration, the connections, and the world behind them."""

import json
import os
import shlex
from pathlib import Path

from nocturne.cli.output import err
from nocturne.composition import ConnectedWorld, deployed_configuration
from nocturne.ports.connections import Connection

_CLONE = Path(__file__).resolve().parents[3]


def home() -> Path:
    """NOCTURNE_HOME, or `.nocturne` beside `plugins/`."""
    return Path(os.environ.get("NOCTURNE_HOME") or _CLONE / ".nocturne")


def world() -> ConnectedWorld:
    """The world of a command. What it logs goes to standard error."""
    os.environ.setdefault("NOCTURNE_HOME", str(home()))
    return ConnectedWorld(deployed_configuration(), connection, log=lambda line: err.print(line, markup=False))


def connection(connection_id: str) -> Connection:
    """A connection from the variable AIRFLOW_CONN_<ID>, or from the sandbox's `connections.env`; else as Airflow finds it."""
    name = f"AIRFLOW_CONN_{connection_id.upper()}"
    text = os.environ.get(name) or _sandbox_variables().get(name)
    if text is None or not text.lstrip().startswith("{"):
        # Only now, because it takes seconds to load: another form of the variable, or another secrets backend.
        from nocturne.airflow.connections import airflow_connection

        return airflow_connection(connection_id)
    raw = json.loads(text)
    return Connection(
        id=connection_id,
        kind=raw.get("conn_type", ""),
        host=raw.get("host", ""),
        port=raw.get("port"),
        login=raw.get("login", ""),
        password=raw.get("password", ""),
        extra=raw.get("extra") or {},
    )


def _sandbox_variables() -> dict[str, str]:
    file = home() / "connections.env"
    if not file.is_file():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}
