"""S3, from a connection of type `aws`."""

from typing import TYPE_CHECKING, Any

from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from nocturne.adapters.object_store import AwsIdentity
    from nocturne.adapters.object_store.settings import StoreSettings

_ROLE_METHOD = "assume_role"


def aws_settings(connection: Connection) -> "tuple[StoreSettings, list[str]]":
    """The settings, and what is wrong with the connection beyond them. Without keys, boto3's default chain is asked for them."""
    from nocturne.adapters.object_store import AwsIdentity
    from nocturne.adapters.object_store.settings import StoreSettings

    login, password = _keys(connection)
    role, profile, token = (_text(connection.extra, name) for name in ("role_arn", "profile_name", "aws_session_token"))
    place: dict[str, Any] = {
        "bucket": _text(connection.extra, "bucket_name") or _service(connection, "s3", "bucket_name"),
        "endpoint": _service(connection, "s3", "endpoint_url") or _text(connection.extra, "endpoint_url"),
    }
    region, faults = _text(connection.extra, "region_name"), _faults(connection, login, password)
    if (login or password) and not role:
        given: dict[str, Any] = {"access_key_id": login, "secret_access_key": password, "session_token": token}
        return StoreSettings("s3", **place, **given, region=region or "us-east-1"), faults
    identity = AwsIdentity(
        profile=profile,
        region=region,
        access_key_id=login,
        secret_access_key=password,
        session_token=token,
        role=role,
        role_arguments=_arguments(connection),
        sts_endpoint=_service(connection, "sts", "endpoint_url"),
    )
    region, unknown = _region(identity) if not faults else (region or "us-east-1", [])
    return StoreSettings("s3", **place, keys=identity, region=region), faults + unknown


def _keys(connection: Connection) -> tuple[str, str]:
    named = _text(connection.extra, "aws_access_key_id"), _text(connection.extra, "aws_secret_access_key")
    return connection.login or named[0], connection.password or named[1]


def _faults(connection: Connection, login: str, password: str) -> list[str]:
    extra, found = connection.extra, []
    if extra.get("role_arn") and bool(login) != bool(password):
        found.append(f"{'password' if login else 'login'}: found nothing, expected both, login and password, or neither")
    if login and extra.get("profile_name"):
        found.append("login and extra.profile_name: found both, expected one of them")
    if (method := extra.get("assume_role_method", _ROLE_METHOD)) != _ROLE_METHOD:
        found.append(f"extra.assume_role_method: found {method!r}, expected {_ROLE_METHOD}")
    if not isinstance(arguments := extra.get("assume_role_kwargs", {}), dict):
        found.append(f"extra.assume_role_kwargs: found {type(arguments).__name__}, expected an object")
    if extra.get("verify", True) is not True:
        found.append("extra.verify: found a value, expected nothing: certificates are always checked, SSL_CERT_FILE names others")
    return found


def _region(identity: "AwsIdentity") -> tuple[str, list[str]]:
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

    try:
        return identity.home_region(), []
    except BotoCoreError as error:
        return "us-east-1", [f"extra.profile_name: {error}"]


def _arguments(connection: Connection) -> dict[str, Any]:
    found = connection.extra.get("assume_role_kwargs")
    return found if isinstance(found, dict) else {}


def _service(connection: Connection, service: str, name: str) -> str:
    """What `extra.service_config` says of one service."""
    services = connection.extra.get("service_config")
    config = services.get(service) if isinstance(services, dict) else None
    return _text(config, name) if isinstance(config, dict) else ""


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
