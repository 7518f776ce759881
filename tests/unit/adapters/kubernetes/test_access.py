"""How a kubeconfig is read, and what is said of one that cannot be used."""

import asyncio
import base64
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nocturne.adapters.kubernetes.access import Access, open_client
from nocturne.domain.errors import Broken, ConfigurationError

CLUSTER = {"server": "https://cluster.example:6443/", "tls-server-name": "inner.example", "proxy-url": "http://proxy.example:3128"}


def kubeconfig(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": CLUSTER if cluster is None else cluster}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }


def identity(access: Access, times: int = 1) -> list[str]:
    """The authorization header of so many requests."""

    async def ask() -> list[str]:
        client = await open_client(access)
        found = []
        for _ in range(times):
            headers: dict[str, str] = {}
            await client.update_params_for_auth(headers, [], ["BearerToken"])
            found.append(headers.get("authorization", ""))
        await client.close()
        return found

    return asyncio.run(ask())


def test_way_to_the_cluster() -> None:
    """Address, server name and proxy are the kubeconfig's."""

    async def ask() -> tuple[str, str, str]:
        client = await open_client(Access(kubeconfig()))
        await client.close()
        return client.configuration.host, client.rest_client.server_hostname, client.rest_client.proxy

    assert asyncio.run(ask()) == ("https://cluster.example:6443", "inner.example", "http://proxy.example:3128")


def test_token_of_the_user() -> None:
    """A user's token is what requests are made with."""
    assert identity(Access(kubeconfig({"token": "abc"}))) == ["Bearer abc"]


def test_fresh_token() -> None:
    """A token that is given with the access takes the user's place, and is asked for before every request."""
    tokens = iter(["one", "two"])
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "not-installed"}}
    assert identity(Access(kubeconfig(plugin), token=lambda: next(tokens)), 2) == ["Bearer one", "Bearer two"]


def test_plugin(tmp_path: Path) -> None:
    """A credential plugin is run, and run again only when what it gave is about to expire."""
    script = tmp_path / "plugin"
    answer = (
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"T","expirationTimestamp":"%s"}}'
    )
    for expires, runs in (("2999-01-01T00:00:00Z", 1), ("2001-01-01T00:00:00Z", 3)):
        (tmp_path / "runs").unlink(missing_ok=True)
        script.write_text(f"#!/bin/sh\necho x >> {tmp_path}/runs\necho '{answer % expires}'\n")
        script.chmod(0o755)
        plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}
        assert identity(Access(kubeconfig({"exec": plugin})), 2) == ["Bearer T", "Bearer T"]
        assert len((tmp_path / "runs").read_text().split()) == runs


def test_token_with_a_line_break() -> None:
    """The line break at the end of a token's file is left out."""
    assert identity(Access(kubeconfig(), token=lambda: "abc\n")) == ["Bearer abc"]


def test_plugin_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential plugin that waits for a person is given up, and told."""
    monkeypatch.setattr("nocturne.adapters.kubernetes.access._SECONDS", 0.2)
    script = tmp_path / "plugin"
    script.write_text("#!/bin/sh\nexec sleep 0.6\n")
    script.chmod(0o755)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}

    async def ask() -> None:
        try:
            await open_client(Access(kubeconfig({"exec": plugin})))
        finally:
            # Its end belongs to this loop.
            await asyncio.sleep(0.8)

    with pytest.raises(Broken, match=r"found no credentials for the cluster within 0\.2 s"):
        asyncio.run(ask())


def test_missing_plugin() -> None:
    """A credential plugin that is not installed is named, and no fault of the kubeconfig."""
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "not-installed"}}
    with pytest.raises(Broken, match="found no credentials from 'not-installed'"):
        identity(Access(kubeconfig(plugin)))


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (Access({}), "Expected key current-context"),
        (Access({**kubeconfig(), "clusters": []}), "Expected object with name c in clusters list"),
        (Access(kubeconfig(), context="there"), "Expected object with name there in contexts list"),
        (Access(kubeconfig(cluster={"insecure-skip-tls-verify": True})), "clusters: found no `server`"),
        (Access(kubeconfig(cluster={**CLUSTER, "certificate-authority-data": "%%%"})), "a certificate or key cannot be used"),
        (
            Access(kubeconfig(cluster={**CLUSTER, "certificate-authority": "/nowhere/ca.pem"})),
            "File does not exists: /nowhere/ca.pem",
        ),
        (Access({**kubeconfig(), "contexts": "none"}), "found a shape that no kubeconfig has"),
        (Access(None), "this process runs in no pod of a cluster"),
    ],
)
def test_faults(access: Access, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubeconfig that cannot be used is a fault of the configuration that says where."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigurationError) as raised:
        identity(access)
    assert expected in raised.value.message


def test_keys_stay_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys from a kubeconfig are in no file any more once a client is open, or could not be opened."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    key = base64.b64encode(b"no key").decode()
    with pytest.raises(ConfigurationError):
        identity(Access(kubeconfig({"client-certificate-data": key, "client-key-data": key})))
    assert os.listdir(tmp_path) == []


def test_not_shown() -> None:
    """What an access holds is in no message or log that shows it."""
    assert "abc" not in repr(Access(kubeconfig({"token": "abc"})))
