import json
from pathlib import Path
from typing import Any

import pytest

from nocturne.composition.kubernetes_access import access, kept_secret, label, place, pull_secret
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

KUBECONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "https://cluster:6443", "certificate-authority": "ca.crt"}}],
    "users": [{"name": "u", "user": {"client-certificate": "/etc/u.crt", "client-key": "u.key"}}],
}
REGISTRY = Connection("images", "docker", "registry.example.org", login="robot", password="secret")


def cluster(**extra: Any) -> Connection:
    return Connection("production", "kubernetes", extra=extra)


def test_every_fault_of_a_connection_at_once() -> None:
    """A wrong type and five wrong fields make six faults."""
    extra = {
        "namespace": "My_App",
        "public_url": "digits.example.org",
        "node_address": 7,
        "kube_config": "{}",
        "in_cluster": True,
        "disable_verify_ssl": True,
    }
    with pytest.raises(ConfigurationError) as caught:
        place(Connection("production", "generic", extra=extra))
    assert caught.value.source == "the connection production"
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "type",
        "extra.node_address",
        "extra.namespace",
        "extra.public_url",
        "extra",
        "extra.disable_verify_ssl",
    ]


def test_an_empty_connection_is_the_cluster_that_we_run_in() -> None:
    """Without a kubeconfig the pod's own account is used, in the namespace `default`."""
    assert access(cluster()).kubeconfig is None
    assert access(cluster(in_cluster=True)).kubeconfig is None
    assert place(cluster()).namespace == "default"


@pytest.mark.parametrize(
    "content", [json.dumps(KUBECONFIG), KUBECONFIG, "clusters:\n- name: c\n  cluster: {server: 'https://c'}\n"]
)
def test_a_kubeconfig_in_the_connection(content: Any) -> None:
    """JSON as the provider's form has it, an object, and YAML as kubectl has it are all read; the context is handed on."""
    found = access(cluster(kube_config=content, cluster_context="blue"))
    assert found.kubeconfig is not None
    assert found.kubeconfig["clusters"][0]["name"] == "c"
    assert found.context == "blue"


def test_files_beside_a_kubeconfig(tmp_path: Path) -> None:
    """Relative paths in a kubeconfig are meant from its own folder, wherever the worker was started."""
    (tmp_path / "config").write_text(json.dumps(KUBECONFIG))
    found = access(cluster(kube_config_path=str(tmp_path / "config"))).kubeconfig
    assert found is not None
    assert found["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")
    assert found["users"][0]["user"] == {"client-certificate": "/etc/u.crt", "client-key": str(tmp_path / "u.key")}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"kube_config_path": "/nowhere/config"}, "/nowhere/config cannot be read"),
        ({"kube_config": "user: {token: hidden"}, "neither YAML nor JSON"),
        ({"kube_config": "hidden"}, "found str, expected the fields of a kubeconfig"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(extra: dict[str, Any], words: str) -> None:
    """What is wrong is said without a word of the content, which is secret."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        access(cluster(**extra))
    assert "hidden" not in str(caught.value)


def test_the_pull_secret_takes_the_login_of_the_registry() -> None:
    """A named Secret is kept up to date with the registry's login; without a name there is none."""
    found = pull_secret(place(cluster(pull_secret="registry")), REGISTRY)
    assert found is not None
    assert (found.name, found.host, found.login, found.password) == ("registry", "registry.example.org", "robot", "secret")
    assert pull_secret(place(cluster()), REGISTRY) is None


def test_an_identity_of_azure_is_no_login_for_pods() -> None:
    """With ACR signed in to by Entra ID, the named Secret is one that is there already."""
    found = pull_secret(
        place(cluster(pull_secret="registry")), Connection("images", "azure", "r.azurecr.io", login="id", password="p")
    )
    assert found is not None
    assert (found.name, found.login, found.password) == ("registry", "", "")


def test_label() -> None:
    """An app's objects are known by app and environment; what no label can hold is a fault of release.toml."""
    assert label("digits", "production") == "digits.production"
    with pytest.raises(ConfigurationError, match="expected up to 63 letters"):
        label("digits", "p" * 57)
    assert label("digits", "p" * 56)


def test_kept_secret() -> None:
    """The secret that the Role has to allow is the one that releases keep up to date, and none else."""
    with_secret = place(cluster(pull_secret="pull"))
    assert kept_secret(with_secret, REGISTRY) == "pull"
    assert kept_secret(with_secret, Connection("images", "docker", "registry.example.org")) == ""
    assert kept_secret(with_secret, Connection("images", "azure", "registry.example.org", login="a", password="b")) == ""
    assert kept_secret(place(cluster()), REGISTRY) == ""
