"""The world of a task."""

import logging

from nocturne.airflow.connections import airflow_connection
from nocturne.composition import ConnectedWorld, deployed_configuration
from nocturne.steps.world import Log

_log = logging.getLogger("nocturne")


def deployed_world(log: Log = _log.info) -> ConnectedWorld:
    """What the deployed configuration describes, with Airflow's connections, this machine's cache, and the task's log."""
    return ConnectedWorld(deployed_configuration(), airflow_connection, log)
