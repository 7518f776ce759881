"""Model stores, from connections: `wasb` is Azure Blob Storage, `aws` is S3, `fs` is a folder.

The fields are those of the providers' own forms, so that one connection serves both:
https://airflow.apache.org/docs/apache-airflow-providers-microsoft-azure/stable/connections/wasb.html
https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/connections/aws.html
"""

from pathlib import Path
from typing import TYPE_CHECKING

from nocturne.composition.aws_stores import aws_settings
from nocturne.composition.azure_stores import azure_settings
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from nocturne.adapters.object_store.settings import StoreSettings

# What the settings call by their own names, as the connection's form calls it.
_FORM = {
    "container is ": "extra.container: found ",
    "account is missing: ": "login: found nothing, ",
    "the account key is not base64: ": "password: found something that is not base64, ",
    "bucket is ": "extra.bucket_name: found ",
    "region is ": "extra.region_name: found ",
    "the access key id is missing: ": "login: found nothing, ",
    "the secret access key is missing: ": "password: found nothing, ",
    "path is missing: ": "extra.path: found nothing, ",
}
_ENDPOINT = {"wasb": "host: found ", "aws": "extra.endpoint_url: found "}


def store_settings(connection: Connection) -> "StoreSettings":
    """What a connection says of a model store. Raises ConfigurationError with every fault, by the names of the form's fields."""
    from nocturne.adapters.object_store.settings import StoreSettings

    match connection.kind:
        case "wasb":
            settings, faults = azure_settings(connection)
        case "aws":
            settings, faults = aws_settings(connection)
        case "fs":
            path = connection.extra.get("path")
            settings, faults = StoreSettings("local", path=Path(path) if isinstance(path, str) and path else None), []
        case other:
            fault = f"type: found {other!r}, expected wasb (Azure Blob Storage), aws (S3) or fs (a folder)"
            raise ConfigurationError(f"the connection {connection.id}", [fault])
    faults += [_in_words_of_the_form(connection.kind, fault) for fault in settings.faults()]
    if faults:
        raise ConfigurationError(f"the connection {connection.id}", faults)
    return settings


def _in_words_of_the_form(kind: str, fault: str) -> str:
    for ours, theirs in {**_FORM, "endpoint is ": _ENDPOINT.get(kind, "")}.items():
        if fault.startswith(ours):
            return theirs + fault.removeprefix(ours)
    return fault
