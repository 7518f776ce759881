"""Airflow's connections, or its secrets backend's."""

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection


def airflow_connection(connection_id: str) -> Connection:
    """A connection by its id, as an operator or a trigger sees it."""
    try:
        found = BaseHook.get_connection(connection_id)
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise ConfigurationError(
            "Airflow", [f"found no connection {connection_id!r}: add it under Admin > Connections or in the secrets backend"]
        ) from error
    return Connection(
        id=connection_id,
        kind=found.conn_type or "",
        host=found.host or "",
        port=found.port,
        login=found.login or "",
        password=found.password or "",
        extra=found.extra_dejson,
    )
