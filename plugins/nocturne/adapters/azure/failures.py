"""What goes wrong in Azure, in our own terms."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from nocturne.domain.errors import Broken, ConfigurationError

# Codes of Entra ID that only another connection can cure. Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_WRONG = {
    "7000215": "password: Entra ID does not accept the client secret, expected the secret's value (not its id)",
    "7000222": "password: the client secret has expired, expected a new one",
    "700016": "login: the tenant knows no application with this client id, or extra.tenantId is another tenant's",
    "7000112": "login: the application is disabled, expected it to be enabled in Entra ID",
    "90002": "extra.tenantId: Entra ID knows no such tenant",
    "900021": "extra.tenantId: found no tenant's id, expected the directory's GUID or domain",
    "900023": "extra.tenantId: found no tenant's id, expected the directory's GUID or domain",
    "70021": "the identity has no federated credential for this worker's service account; add one with its issuer and subject",
    "700211": "the identity's federated credential names another issuer than this worker's cluster",
    "700212": "the identity's federated credential names another audience, expected api://AzureADTokenExchange",
    "700213": "the identity's federated credential names another subject than system:serviceaccount:NAMESPACE:NAME of this worker",
}
_CODE = re.compile(r"AADSTS(\d+)")
_NOISE = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp|To mitigate this issue|Visit:).*", re.DOTALL)


@contextmanager
def in_our_terms(connection_id: str, doing: str) -> Iterator[None]:
    """Turn Azure's errors into Broken, or into ConfigurationError where the connection is to blame. doing: ends `could not ...`."""
    # Imported when something is asked of Azure: loading its library takes a while.
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    try:
        yield
    except ClientAuthenticationError as error:
        # azure-identity calls it so, too, when nobody answered.
        if isinstance(error.__cause__, (ServiceRequestError, ServiceResponseError)):
            raise _out_of_reach(doing, error) from error
        raise _login_failure(connection_id, error.message or str(error)) from error
    except HttpResponseError as error:
        raise Broken(f"could not {doing}: Azure answers {error.status_code}: {brief(error.message)}") from error
    except AzureError as error:
        raise _out_of_reach(doing, error) from error
    except ValueError as error:
        # azure-identity checks what it is made from before it asks anybody, and MSAL the address of the authority.
        raise ConfigurationError(f"the connection {connection_id}", [brief(str(error))]) from error


def brief(text: str | None) -> str:
    """Azure's message without ids of the request and line breaks, 400 characters at most."""
    lines = [line.strip() for line in _NOISE.sub("", text or "").splitlines() if line.strip()]
    return " ".join(lines)[:400] or "no reason given"


def _out_of_reach(doing: str, error: Exception) -> Broken:
    return Broken(
        f"could not {doing}: {brief(str(error))}",
        advice="check that this worker may reach Azure: name resolution, firewall, proxy, certificates (REQUESTS_CA_BUNDLE)",
    )


def _login_failure(connection_id: str, message: str) -> Broken | ConfigurationError:
    for code in _CODE.findall(message):
        if code in _WRONG:
            return ConfigurationError(f"the connection {connection_id}", [f"{_WRONG[code]} (AADSTS{code})"])
    return Broken(
        f"Entra ID or Azure does not accept the connection {connection_id}: {brief(message)}",
        advice="give it a service principal (login, password, extra.tenantId), or let the worker run with a workload identity or a "
        "managed identity; docs/azure.md says how",
    )
