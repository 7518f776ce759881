"""What the operator decides about the server, from the variables of `.env`."""

from collections.abc import Mapping
from dataclasses import dataclass

from nocturne.domain.errors import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """What the secrets' files are made from.

    name: prefix of networks and services in Docker. code: the repository, as tasks see it. registry_port: by which the engine
    pulls. database_options: the query of PostgreSQL's URLs (`sslmode=require`).
    The users are numbers, those of the services' processes.
    """

    name: str = "nocturne"
    code: str = "/repository"
    local_cloud: bool = False
    registry_port: int = 5000
    airflow_url: str = "http://localhost:8080"
    database_host: str = "postgres"
    database_port: int = 5432
    database_options: str = ""
    airflow_user: int = 50000
    postgres_user: int = 999
    redis_user: int = 999
    blob_user: int = 0
    group: int = 0

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Settings":
        """What is not set, or is empty, has its default. Raises ConfigurationError with all faults."""
        faults: list[str] = []

        def text(name: str, default: str) -> str:
            return variables.get(name) or default

        def number(name: str, default: int, most: int = 65535) -> int:
            found = text(name, str(default))
            if not (found.isdecimal() and found.isascii() and int(found) <= most):
                faults.append(f"{name}: found {found!r}, expected a number from 0 to {most}")
                return default
            return int(found)

        settings = cls(
            name=text("NOCTURNE_NAME", cls.name),
            code=text("NOCTURNE_CODE", cls.code),
            local_cloud="local-cloud" in text("NOCTURNE_PROFILES", "").split(","),
            registry_port=number("NOCTURNE_REGISTRY_PORT", cls.registry_port),
            airflow_url=text("NOCTURNE_AIRFLOW_URL", cls.airflow_url),
            database_host=text("NOCTURNE_DATABASE_HOST", cls.database_host),
            database_port=number("NOCTURNE_DATABASE_PORT", cls.database_port),
            database_options=text("NOCTURNE_DATABASE_OPTIONS", cls.database_options),
            airflow_user=number("NOCTURNE_AIRFLOW_USER", cls.airflow_user, _LARGEST_USER),
            postgres_user=number("NOCTURNE_POSTGRES_USER", cls.postgres_user, _LARGEST_USER),
            redis_user=number("NOCTURNE_REDIS_USER", cls.redis_user, _LARGEST_USER),
            blob_user=number("NOCTURNE_BLOB_USER", cls.blob_user, _LARGEST_USER),
        )
        if faults:
            raise ConfigurationError("the environment", faults)
        return settings


_LARGEST_USER = 2**32 - 2  # the one above it means "nobody in particular" to chown
