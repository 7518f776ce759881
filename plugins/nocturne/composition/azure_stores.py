"""Azure Blob Storage, from a connection of type `wasb`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nocturne.ports.connections import Connection

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

    from nocturne.adapters.azure.identity import Identity
    from nocturne.adapters.object_store.settings import StoreSettings


def azure_settings(connection: Connection) -> "tuple[StoreSettings, list[str]]":
    """The settings, and what is wrong with the connection beyond them. What is given decides, in the order of the provider's
    `WasbHook.get_conn`: connection string, tenant (a service principal), access key, SAS token, password, identity.
    """
    from nocturne.adapters.object_store.connection_string import account_of, from_connection_string
    from nocturne.adapters.object_store.settings import StoreSettings

    container = _field(connection, "container")
    if text := _field(connection, "connection_string"):
        return from_connection_string(text, container), []
    host = connection.host if "://" in connection.host or not connection.host else f"https://{connection.host}"
    account = "" if _tenant(connection) else connection.login
    base = StoreSettings("azure", container=container, account=account or account_of(host), endpoint=host)
    if _tenant(connection):
        return _with_principal(base, connection)
    if token := _field(connection, "sas_token"):
        return _with_sas(base, token), []
    if key := _field(connection, "shared_access_key") or connection.password or _field(connection, "account_key"):
        return replace(base, account_key=key), []
    return _with_identity(base, replace(connection, login="", password=""))


def _with_principal(base: "StoreSettings", connection: Connection) -> "tuple[StoreSettings, list[str]]":
    needed = {"host (the account's URL)": base.endpoint, "login (client id)": connection.login}
    needed["password (client secret)"] = connection.password
    missing = [name for name, value in needed.items() if not value]
    faults = [f"{' and '.join(missing)}: found nothing, expected them beside extra.tenant_id"] if missing else []
    # What is missing is told once: the settings by themselves shall not miss it again.
    known = replace(base, account=base.account or "unknown", endpoint=base.endpoint or "https://unknown")
    full = replace(connection, login=connection.login or "unknown", password=connection.password or "unknown")
    settings, others = _with_identity(known, replace(full, extra={**connection.extra, "tenantId": _tenant(connection)}))
    return settings, faults + others


def _with_sas(base: "StoreSettings", token: str) -> "StoreSettings":
    from nocturne.adapters.object_store.connection_string import account_of

    if not token.startswith("https://"):
        return replace(base, sas_token=token)
    # The form also takes the account's URL with the token in it, as the Azure portal shows it.
    parts = urlsplit(token)
    url = f"https://{parts.netloc}"
    return replace(base, endpoint=url, account=base.account or account_of(url), sas_token=parts.query)


def _with_identity(base: "StoreSettings", connection: Connection) -> "tuple[StoreSettings, list[str]]":
    from nocturne.adapters.azure.identity import Identity, identity_faults

    if faults := identity_faults(connection):
        return replace(base, credential=_Unknown()), faults
    return replace(base, credential=_Login(Identity(connection))), []


class _Unknown:
    """Stands for an identity that is at fault."""

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        raise NotImplementedError


class _Login:
    """An identity's tokens, whose failures are told in Nocturne's words: the store's client passes on the text alone."""

    def __init__(self, identity: "Identity") -> None:
        self._identity = identity

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        from nocturne.adapters.azure.failures import in_our_terms

        credential: TokenCredential = self._identity.credential
        with in_our_terms(self._identity.connection_id, "log in to Entra ID"):
            return credential.get_token(*scopes, **options)


def _tenant(connection: Connection) -> str:
    # The provider's form for Azure writes it the second way.
    return _field(connection, "tenant_id") or _field(connection, "tenantId")


def _field(connection: Connection, name: str) -> str:
    """A field of the provider's form; older versions of it wrote a prefix before the name."""
    value = connection.extra.get(name) or connection.extra.get(f"extra__wasb__{name}") or ""
    return value if isinstance(value, str) else ""
