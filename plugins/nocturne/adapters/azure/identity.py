"""Who we are to Azure, from an Airflow connection of type `azure`.

Field names and the order of what is tried are the provider's own, so that one connection serves both:
https://airflow.apache.org/docs/apache-airflow-providers-microsoft-azure/stable/connections/azure.html
"""

from typing import TYPE_CHECKING, Any

from nocturne.adapters.azure.cloud import Cloud, cloud_faults, cloud_of
from nocturne.adapters.azure.failures import in_our_terms
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# Fields of the provider's form that name a way to log in which we do not have.
_KEY_FILES = ("key_path", "key_json")


class Identity:
    """Gives Entra ID tokens, kept and renewed by azure-identity."""

    def __init__(self, connection: Connection) -> None:
        """Raises ConfigurationError with every fault of the connection's login. Nothing is asked yet."""
        if faults := identity_faults(connection):
            raise ConfigurationError(f"the connection {connection.id}", faults)
        self.connection_id = connection.id
        self.cloud = cloud_of(connection.extra)
        self.tenant = field(connection, "tenantId")
        with in_our_terms(connection.id, "log in to Entra ID"):
            self.credential = _credential(connection, self.cloud)

    def token(self, scope: str) -> str:
        """A token that is valid for minutes at least. scope: like `https://management.azure.com/.default`.

        Raises ConfigurationError when Entra ID does not accept the connection's login, Broken when it gives no answer.
        """
        with in_our_terms(self.connection_id, "log in to Entra ID"):
            return self.credential.get_token(scope).token


def field(connection: Connection, name: str) -> str:
    """A field of the provider's form; older versions of it wrote a prefix before the name."""
    value = connection.extra.get(name) or connection.extra.get(f"extra__azure__{name}") or ""
    return value if isinstance(value, str) else ""


def identity_faults(connection: Connection) -> list[str]:
    """Everything that is wrong with a connection's login; empty when it can be tried."""
    faults = cloud_faults(connection.extra)
    given = {"login": connection.login, "password": connection.password}
    missing = [name for name, value in (given | {"extra.tenantId": field(connection, "tenantId")}).items() if not value]
    if any(given.values()) and missing:
        faults.append(
            f"{' and '.join(missing)}: found nothing, expected login (client id), password (client secret) and extra.tenantId "
            "of a service principal; or neither login nor password, for the identity of the worker itself "
            "(its client id goes to extra.managed_identity_client_id)"
        )
    if key := next((name for name in _KEY_FILES if connection.extra.get(name)), None):
        faults.append(f"extra.{key}: found a key file, expected its clientId, clientSecret and tenantId in the connection's fields")
    if field(connection, "workload_identity_tenant_id") and not field(connection, "managed_identity_client_id"):
        faults.append("extra.managed_identity_client_id: found nothing, expected it beside extra.workload_identity_tenant_id")
    return faults


def _credential(connection: Connection, cloud: Cloud) -> "TokenCredential":
    """A service principal's when the connection has one, else what the worker finds around itself: environment variables,
    workload identity, managed identity, and a developer's own login."""
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    options: dict[str, Any] = {"authority": cloud.authority, "retry_total": 3}
    if not cloud.well_known:
        options["disable_instance_discovery"] = True
    if connection.login:
        return ClientSecretCredential(field(connection, "tenantId"), connection.login, connection.password, **options)
    if client := field(connection, "managed_identity_client_id"):
        options["managed_identity_client_id"] = client
    if tenant := field(connection, "workload_identity_tenant_id"):
        options |= {"workload_identity_tenant_id": tenant, "additionally_allowed_tenants": [tenant]}
    return DefaultAzureCredential(**options)
