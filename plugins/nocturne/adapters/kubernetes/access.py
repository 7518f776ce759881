"""How the API of a cluster is reached, and as whom."""

import asyncio
import base64
import binascii
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kubernetes_asyncio import config
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.config import ConfigException

from nocturne.domain.errors import Broken, ConfigurationError

SOURCE = "the kubeconfig of the environment's connection"
_BEARER = "BearerToken"
_SECONDS = 60
"""For a credential plugin. One that asks a person waits for ever, and nobody is there at night."""
# Half of its functions have no types.
_LIBRARY: Any = config


@dataclass(frozen=True)
class Access:
    """kubeconfig: its content, None when this process is a pod of the cluster itself. context: None for the current one.

    token: gives a bearer token that is valid now, and replaces the kubeconfig's user; it is asked before every request, in a
    thread, so that a long wait outlives a token. It raises Broken when there is none to be had.
    """

    kubeconfig: dict[str, Any] | None = field(default=None, repr=False)
    context: str | None = None
    token: Callable[[], str] | None = field(default=None, repr=False)


async def open_client(access: Access) -> ApiClient:
    """A client for one event loop, to be closed by the caller. Raises ConfigurationError, and Broken when the user's credential
    plugin fails.
    """
    configuration = Configuration()
    # Python 3.13 refuses certificate authorities without a key identifier, which clusters have and kubectl takes.
    configuration.disable_strict_ssl_verification = True
    with TemporaryDirectory(prefix="nocturne-") as folder:
        async with in_time():
            loader = await _load(access, configuration, Path(folder))
        if access.token is not None:
            # The hook is asked only where there is a key to refresh.
            configuration.api_key[_BEARER] = ""
            configuration.refresh_api_key_hook = _fresh(access.token)
        elif loader is not None and hasattr(loader, "exec_plugin_expiry"):
            configuration.refresh_api_key_hook = _from_plugin(loader)
        try:
            # Reads the certificates: their files are not needed afterwards.
            return ApiClient(configuration)
        except OSError as error:
            raise ConfigurationError(SOURCE, [f"a certificate or key cannot be used: {error}"]) from error


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Around what finds out who we are. Raises Broken when that takes too long."""
    try:
        async with asyncio.timeout(_SECONDS):
            yield
    except TimeoutError as error:
        raise Broken(
            f"found no credentials for the cluster within {_SECONDS} s",
            advice="the kubeconfig's credential plugin, or the token's source, may wait for an answer: sign it in, or use a token",
        ) from error


async def _load(access: Access, configuration: Any, folder: Path) -> Any:
    try:
        if access.kubeconfig is None:
            return _LIBRARY.load_incluster_config(client_configuration=configuration)
        kubeconfig = _with_files(access.kubeconfig, folder)
        if access.token is not None:
            _without_users(kubeconfig)
        loader = await _LIBRARY.load_kube_config_from_dict(kubeconfig, context=access.context, client_configuration=configuration)
    except (ConfigException, AttributeError, KeyError, TypeError, ValueError, OSError, AssertionError) as error:
        if _plugin(access):
            raise Broken(
                f"found no credentials from {_plugin(access)!r}, the credential plugin of the kubeconfig's user: {error}",
                advice="install the plugin where this runs and sign it in, or give the connection a token instead",
            ) from error
        raise ConfigurationError(SOURCE, [_fault(access, error)]) from error
    if not getattr(loader, "host", ""):
        raise ConfigurationError(SOURCE, ["clusters: found no `server`, expected an address such as https://host:6443"])
    return loader


def _fault(access: Access, error: Exception) -> str:
    if access.kubeconfig is None:
        return f"found none, and this process runs in no pod of a cluster ({error}); expected one of both"
    if isinstance(error, ConfigException):
        return str(error).replace("Invalid kube-config file. ", "").replace("kube-config/", "")
    return f"found a shape that no kubeconfig has: {type(error).__name__}: {error}"


def _plugin(access: Access) -> str:
    """The command that the user's credentials come from, empty where they come from elsewhere."""
    given = access.kubeconfig or {}
    try:
        contexts = {entry["name"]: entry["context"] for entry in given["contexts"]}
        users = {entry["name"]: entry["user"] for entry in given["users"]}
        return "" if access.token else str(users[contexts[access.context or given["current-context"]]["user"]]["exec"]["command"])
    except (KeyError, TypeError):
        return ""


def _fresh(token: Callable[[], str]) -> Callable[[Any], Awaitable[None]]:
    async def refresh(configuration: Any) -> None:
        configuration.api_key[_BEARER] = f"Bearer {(await asyncio.to_thread(token)).strip()}"

    return refresh


def _from_plugin(loader: Any) -> Callable[[Any], Awaitable[None]]:
    async def refresh(configuration: Any) -> None:
        # Runs the plugin only when the credential that it gave last is about to expire.
        await loader.load_from_exec_plugin()
        if hasattr(loader, "token"):
            configuration.api_key[_BEARER] = loader.token

    return refresh


def _with_files(kubeconfig: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same with certificates and keys in files of ours: the library's own stay in the system's temporary folder."""
    copied = copy.deepcopy(kubeconfig)
    entries = [(entry, "cluster") for entry in copied.get("clusters") or []] + [
        (entry, "user") for entry in copied.get("users") or []
    ]
    for number, (entry, part) in enumerate(entries):
        for key in ("certificate-authority", "client-certificate", "client-key"):
            data = (entry.get(part) or {}).pop(f"{key}-data", None)
            if data:
                path = folder / f"{number}-{key}"
                path.touch(mode=0o600)
                path.write_bytes(_decoded(data, f"{part}s[{entry.get('name')}].{key}-data"))
                entry[part][key] = str(path)
    return copied


def _decoded(data: str, where: str) -> bytes:
    try:
        return base64.b64decode(data, validate=False)
    except binascii.Error as error:
        raise ConfigurationError(SOURCE, [f"{where}: found no base64 ({error}), expected base64 of a PEM file"]) from error


def _without_users(kubeconfig: dict[str, Any]) -> None:
    kubeconfig["users"] = [{"name": entry.get("name"), "user": {}} for entry in kubeconfig.get("users") or []]
