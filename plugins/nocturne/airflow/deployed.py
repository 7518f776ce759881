"""The configuration that is deployed with the DAGs, and the world that it describes."""

import logging
import os
from pathlib import Path

from nocturne.airflow.connections import airflow_connection
from nocturne.composition import ConnectedWorld
from nocturne.domain.configuration import FILE, Configuration, parse_configuration
from nocturne.domain.errors import ConfigurationError
from nocturne.steps.world import Log

_log = logging.getLogger("nocturne")


def deployed_configuration() -> Configuration:
    """The `release.toml` in the app's folder beside `plugins/`, or the file that NOCTURNE_RELEASE_FILE names.

    A run reads it only to learn where the code is; everything else comes from the file as it stands at the frozen commit.
    """
    path = Path(os.environ.get("NOCTURNE_RELEASE_FILE") or Path(__file__).parents[3] / "app" / FILE)
    try:
        return parse_configuration(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(str(path), [f"cannot be read: {error.strerror}"]) from error


def deployed_world(log: Log = _log.info) -> ConnectedWorld:
    """The world of a task: Airflow's connections, this machine's cache, and the task's log."""
    return ConnectedWorld(deployed_configuration(), airflow_connection, log)
