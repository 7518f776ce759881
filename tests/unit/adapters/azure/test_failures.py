import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from nocturne.adapters.azure.failures import brief, in_our_terms
from nocturne.domain.errors import Broken, ConfigurationError


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("7000215", "client secret"),
        ("7000222", "expired"),
        ("700016", "client id"),
        ("90002", "extra.tenantId"),
        ("70021", "federated"),
    ],
)
def test_what_only_another_connection_can_cure_is_its_fault(code: str, named: str):
    """Entra ID's code decides, and stays in the message for whoever looks it up."""
    with pytest.raises(ConfigurationError, match=f"AADSTS{code}") as error, in_our_terms("c", "log in"):
        raise ClientAuthenticationError(message=f"Authentication failed: AADSTS{code}: text. Trace ID: 1")
    assert named in str(error.value)


def test_a_login_that_failed_otherwise_is_broken_with_its_reasons():
    """A worker without any identity learns which were tried."""
    text = (
        "DefaultAzureCredential failed.\nAttempted credentials:\n\tEnvironmentCredential: no\nTo mitigate this issue, please refer"
    )
    with pytest.raises(Broken, match="EnvironmentCredential: no") as error, in_our_terms("c", "log in"):
        raise ClientAuthenticationError(message=text)
    assert "mitigate" not in error.value.message
    assert "workload identity" in error.value.advice


@pytest.mark.parametrize("failure", [ServiceRequestError("no route"), HttpResponseError("busy")])
def test_an_azure_that_is_away_is_broken(failure: Exception):
    """Nothing is wrong with the connection."""
    with pytest.raises(Broken, match=r"could not log in: .*(no route|busy)"), in_our_terms("c", "log in"):
        raise failure


def test_a_message_is_made_short():
    """Ids of requests help nobody in a task's log."""
    assert brief("AADSTS1: text\n  more. Trace ID: 5 Correlation ID: 6") == "AADSTS1: text more."
    assert brief(None) == "no reason given"
