"""The server's Airflow connections, in one file that Airflow's own secrets backend reads.

Source of the form: https://airflow.apache.org/docs/apache-airflow/3.3.2/security/secrets/secrets-backend/local-filesystem-secrets-backend.html
"""

from typing import Any

from nocturne.server.database_urls import ledger_url
from nocturne.server.server_secrets import ADMINISTRATOR, BLOB_ACCOUNT, Secrets
from nocturne.server.settings import Settings

_ENGINE = "tcp://engine:2375"


def connections(settings: Settings, secrets: Secrets) -> dict[str, dict[str, Any]]:
    """Connection ids, each with the arguments of Airflow's `Connection`."""
    return {
        "nocturne_ledger": {"conn_type": "generic", "extra": {"url": ledger_url(settings, secrets)}},
        "nocturne_airflow": {
            "conn_type": "http",
            "host": "api-server",
            "port": 8080,
            "login": ADMINISTRATOR,
            "password": secrets.admin_password,
        },
        "nocturne_engine": {"conn_type": "generic", "host": _ENGINE, "extra": {"trial_network": f"{settings.name}-trial"}},
        "nocturne_code": {"conn_type": "git", "host": settings.code},
        **(_local_cloud(settings, secrets) if settings.local_cloud else {}),
    }


def _local_cloud(settings: Settings, secrets: Secrets) -> dict[str, dict[str, Any]]:
    return {
        "nocturne_models": {
            "conn_type": "wasb",
            "login": BLOB_ACCOUNT,
            "password": secrets.blob,
            "host": f"http://azurite:10000/{BLOB_ACCOUNT}",
            "extra": {"container": "models"},
        },
        # Tasks reach it by its name in the stack; the engine and the cluster pull by this machine's own.
        "nocturne_registry": {
            "conn_type": "docker",
            "host": "http://registry",
            "port": 5000,
            "extra": {"image_host": f"localhost:{settings.registry_port}"},
        },
        "nocturne_sandbox": {
            "conn_type": "generic",
            "host": _ENGINE,
            "extra": {
                "service": f"{settings.name}-app",
                "network": f"{settings.name}-swarm",
                "public_url": "http://front-door:8000",
                "front_door_stats": "http://front-door:8404",
            },
        },
    }
