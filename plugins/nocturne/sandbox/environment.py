"""The environment variables that make a process part of the sandbox."""

import os
import shlex
import sys
from pathlib import Path

from nocturne.adapters.private_file import write_private
from nocturne.sandbox.airflow_configuration import airflow_configuration
from nocturne.sandbox.connections import connections
from nocturne.sandbox.remembered import KUBERNETES
from nocturne.sandbox.secret_file import Secrets, load_or_make
from nocturne.sandbox.settings import Settings

# What a calling shell may have set that changes the sandbox' programs: without bytecode, Airflow takes 5 s to start, not 2 s.
# And an administrator's way into the cluster: releases go by the Role alone.
_NOT_INHERITED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "KUBECONFIG")


def environment(settings: Settings) -> dict[str, str]:
    """What the sandbox adds to the environment: Airflow's settings, all connections, and the way to its programs."""
    secrets = load_or_make(settings.home)
    programs = Path(sys.executable).parent
    return {
        "NOCTURNE_HOME": str(settings.home),
        "NOCTURNE_NAME": settings.name,
        "NOCTURNE_CODE": settings.code,
        "NOCTURNE_RELEASE_FILE": str(settings.release_file),
        **{port.variable: str(port.number) for port in settings.ports},
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **airflow_configuration(settings, secrets),
        **_deployed(settings, secrets),
    }


def inherited_environment() -> dict[str, str]:
    """The calling process' environment, without what would change the sandbox' programs or belongs to another sandbox."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_INHERITED and not name.startswith(("AIRFLOW_", "NOCTURNE_"))
    }


def write_environment(settings: Settings) -> None:
    """Leave the variables in `connections.env` and `airflow.env`, for a shell: `set -a; . .nocturne/airflow.env`."""
    secrets = load_or_make(settings.home)
    _write(settings.home / "connections.env", _deployed(settings, secrets))
    _write(settings.home / "airflow.env", airflow_configuration(settings, secrets))


def _deployed(settings: Settings, secrets: Secrets) -> dict[str, str]:
    environment = {"NOCTURNE_ENVIRONMENT": KUBERNETES} if settings.target == KUBERNETES else {}
    return {**connections(settings, secrets), **environment}


def _write(file: Path, variables: dict[str, str]) -> None:
    write_private(file, "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
