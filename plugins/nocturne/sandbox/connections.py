"""The sandbox's Airflow connections: the only thing that tells Nocturne's tasks and commands where the world is.

Source of the form: https://airflow.apache.org/docs/apache-airflow/3.3.2/howto/connection.html#json-format-example
"""

import json
from typing import Any

from nocturne.sandbox.kubeconfig import node_address, release_kubeconfig
from nocturne.sandbox.remembered import KUBERNETES
from nocturne.sandbox.secret_file import Secrets
from nocturne.sandbox.settings import Settings

CONTAINER = "models"


def connections(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """Environment variables `AIRFLOW_CONN_<ID>`, each a connection in JSON form."""
    found = {
        "nocturne_code": {"conn_type": "git", "host": settings.code},
        "nocturne_models": {
            "conn_type": "wasb",
            "login": secrets.blob_account,
            "password": secrets.blob_key,
            "host": f"http://127.0.0.1:{settings.blob_port}/{secrets.blob_account}",
            "extra": {"container": CONTAINER},
        },
        # DockerHook joins host and port by itself and expects no path.
        "nocturne_registry": {"conn_type": "docker", "host": "http://localhost", "port": settings.registry_port},
        "nocturne_engine": {"conn_type": "generic", "host": settings.engine_url},
        **_target(settings),
        "nocturne_ledger": {"conn_type": "generic", "extra": {"url": f"sqlite:///{settings.home / 'ledger.db'}"}},
        "nocturne_airflow": {
            "conn_type": "http",
            "schema": "http",
            "host": "localhost",
            "port": settings.airflow_port,
            "login": secrets.airflow_user,
            "password": secrets.airflow_password,
        },
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in found.items()}


def _target(settings: Settings) -> dict[str, dict[str, Any]]:
    if settings.target == KUBERNETES:
        return {"nocturne_kubernetes": {"conn_type": "kubernetes", "extra": _kubernetes(settings)}}
    return {"nocturne_sandbox": {"conn_type": "generic", "host": settings.engine_url, "extra": _swarm(settings)}}


def _kubernetes(settings: Settings) -> dict[str, Any]:
    # The file is written anew with each start: its token ends some day.
    return {
        "kube_config_path": str(release_kubeconfig(settings.home)),
        "namespace": settings.name,
        "node_address": node_address(settings.kubeconfig),
    }


def _swarm(settings: Settings) -> dict[str, Any]:
    return {
        "service": settings.service,
        "network": settings.network,
        "front_door": settings.front_door,
        "public_url": settings.app_url,
    }
