import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from nocturne.domain.errors import ConfigurationError
from nocturne.sandbox.kubeconfig import node_address, read_kubeconfig, release_kubeconfig, write_release_kubeconfig

ADMIN = {
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "b", "user": "admin"}}],
    "clusters": [
        {"name": "a", "cluster": {"server": "https://elsewhere:6443"}},
        {"name": "b", "cluster": {"server": "https://10.0.0.7:6443", "certificate-authority": "ca.crt", "tls-server-name": "k"}},
    ],
    "users": [{"name": "admin", "user": {"client-key-data": "c2VjcmV0"}}],
}


def write(folder: Path, content: Any) -> Path:
    (folder / "config").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / "config"


def test_the_node_is_where_the_current_context_points(tmp_path: Path) -> None:
    """Of several clusters it is the current context's whose API server's host is taken."""
    assert node_address(write(tmp_path, ADMIN)) == "10.0.0.7"


def test_releases_get_a_kubeconfig_without_the_administrator(tmp_path: Path) -> None:
    """The same cluster, its authority taken in, and one user with a token; nobody else may read it."""
    (tmp_path / "ca.crt").write_bytes(b"PEM")
    write_release_kubeconfig(tmp_path, write(tmp_path, ADMIN), "the token")
    file = release_kubeconfig(tmp_path)
    found = read_kubeconfig(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [user["user"] for user in found["users"]] == [{"token": "the token"}]
    authority = base64.b64encode(b"PEM").decode()
    expected = {"server": "https://10.0.0.7:6443", "tls-server-name": "k", "certificate-authority-data": authority}
    assert [cluster["cluster"] for cluster in found["clusters"]] == [expected]
    assert "c2VjcmV0" not in file.read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "found no YAML"),
        ("a text", "found no clusters"),
        ({"clusters": [{"name": "a"}]}, "current-context: found None"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(tmp_path: Path, content: Any, words: str) -> None:
    """Each fault names the file and KUBECONFIG, from which it comes."""
    path = tmp_path / "config" if content is None else write(tmp_path, content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        node_address(path)
    assert caught.value.source == f"KUBECONFIG ({path})"
