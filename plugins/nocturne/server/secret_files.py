"""What each service of the stack reads its own secrets from, made from the one file that holds all."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nocturne.adapters.private_file import remove_partial, write_private
from nocturne.server.connections import connections
from nocturne.server.database_urls import airflow_url
from nocturne.server.server_secrets import BLOB_ACCOUNT, Secrets
from nocturne.server.settings import Settings


@dataclass(frozen=True)
class SecretFile:
    """path: below the folder of all secrets. owner: user and group by number."""

    path: str
    content: str = field(repr=False)
    owner: tuple[int, int]
    mode: int = 0o400


def secret_files(settings: Settings, secrets: Secrets) -> list[SecretFile]:
    """Every file that a service reads."""
    postgres = SecretFile("postgres/password", secrets.postgres, (settings.postgres_user, settings.group), 0o440)
    redis = SecretFile("redis/redis.conf", _redis(secrets), (settings.redis_user, settings.group))
    blob = SecretFile("blob/accounts", f"{BLOB_ACCOUNT}:{secrets.blob}", (settings.blob_user, settings.group))
    return [*_airflow(settings, secrets), postgres, redis, blob]


def write_files(folder: Path, files: Iterable[SecretFile]) -> list[str]:
    """Write those that are missing or are not as they should be; their paths. By one process at a time."""
    wanted = list(files)
    for place in {(folder / file.path).parent for file in wanted}:
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        remove_partial(place)
    return [file.path for file in wanted if _written(folder / file.path, file)]


def _written(path: Path, file: SecretFile) -> bool:
    if _is_there(path, file):
        return False
    write_private(path, file.content, file.mode, file.owner)
    return True


def _is_there(path: Path, file: SecretFile) -> bool:
    try:
        state = path.stat()
        return (state.st_uid, state.st_gid, state.st_mode & 0o777) == (*file.owner, file.mode) and path.read_text() == file.content
    except FileNotFoundError:
        return False


def _airflow(settings: Settings, secrets: Secrets) -> list[SecretFile]:
    url = airflow_url(settings, secrets)
    content = {
        "database_url": url,
        "fernet_key": secrets.fernet,
        "jwt_secret": secrets.jwt,
        "api_secret": secrets.api,
        "broker_url": f"redis://:{secrets.redis}@redis:6379/0",
        "result_backend": f"db+{url}",
        "connections.json": json.dumps(connections(settings, secrets), indent=2),
        "admin_password": secrets.admin_password,
    }
    owner = (settings.airflow_user, settings.group)
    return [SecretFile(f"airflow/{name}", text, owner) for name, text in content.items()]


def _redis(secrets: Secrets) -> str:
    """A queue: what is in it is never dropped for want of room, and outlives a restart.

    Source: https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/
    """
    return f"requirepass {secrets.redis}\nmaxmemory-policy noeviction\nappendonly yes\ndir /data\n"
