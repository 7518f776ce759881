import pytest

from nocturne.adapters.azure.identity import Identity, identity_faults
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection


def connection(login: str = "", password: str = "", **extra: object) -> Connection:
    return Connection("azure_default", "azure", login=login, password=password, extra=extra)


@pytest.mark.parametrize(
    "good",
    [
        connection("client", "secret", tenantId="t"),
        connection("client", "secret", extra__azure__tenantId="t"),
        connection(),
        connection(tenantId="t", subscriptionId="s", use_azure_identity_object=True),
        connection(managed_identity_client_id="c", workload_identity_tenant_id="t"),
        connection(cloud_environment="AzureChinaCloud"),
    ],
)
def test_a_connection_of_the_providers_form_has_no_fault(good: Connection):
    """A service principal, or nothing at all for the worker's own identity, with the form's other fields."""
    assert identity_faults(good) == []
    Identity(good)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (connection("client", "secret"), "extra.tenantId: found nothing"),
        (connection("client"), "password and extra.tenantId: found nothing"),
        (connection(password="secret-1", tenantId="t"), "login: found nothing"),
        (connection(workload_identity_tenant_id="t"), "extra.managed_identity_client_id"),
        (connection(key_path="/k.json"), "extra.key_path: found a key file"),
        (connection(cloud_environment="AzureMoon"), "found 'AzureMoon', expected AzurePublicCloud, "),
        (connection(authority="http://login.test"), "extra.authority: found 'http://login.test', expected an https URL"),
        (connection(arm_url=5), "extra.arm_url: found 5"),
    ],
)
def test_half_a_login_is_a_fault(bad: Connection, message: str):
    """The provider would silently take another identity; here the field that is missing is named, and no secret."""
    (fault,) = identity_faults(bad)
    assert message in fault
    assert "secret-1" not in fault


def test_a_faulty_connection_gives_no_identity():
    """All its faults come in one error with the connection's id."""
    with pytest.raises(ConfigurationError, match="the connection azure_default has 2 faults"):
        Identity(connection("client", cloud_environment="AzureMoon"))


def test_a_tenant_that_can_be_none_is_the_connections_fault():
    """azure-identity refuses some values before it asks anybody."""
    with pytest.raises(ConfigurationError, match=r"[Tt]enant"):
        Identity(connection("client", "secret", tenantId="not a tenant!"))
