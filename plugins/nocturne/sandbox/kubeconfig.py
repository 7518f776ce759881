"""The two kubeconfigs: an administrator's, which makes the namespace, and the one made from it for releases."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from nocturne.adapters.private_file import write_private
from nocturne.domain.errors import ConfigurationError

_ADVICE = "expected the kubeconfig of a cluster that runs: see that KUBECONFIG names one, as kubectl takes it"


def release_kubeconfig(home: Path) -> Path:
    """The file that the sandbox's connection names."""
    return home / "kubeconfig.json"


def read_kubeconfig(path: Path | None) -> dict[str, Any]:
    """The content of a kubeconfig. Raises ConfigurationError."""
    try:
        found = yaml.safe_load(path.read_text()) if path else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"KUBECONFIG ({path})", [f"cannot be read: {error}; {_ADVICE}"]) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"KUBECONFIG ({path})", [f"found no YAML; {_ADVICE}"]) from error
    if not isinstance(found, dict) or not found.get("clusters"):
        raise ConfigurationError(f"KUBECONFIG ({path})", [f"found no clusters in it; {_ADVICE}"])
    return found


def node_address(path: Path | None) -> str:
    """The host of the API server, where a small cluster has its node ports too. Raises ConfigurationError."""
    return urlsplit(str(_cluster(read_kubeconfig(path), path).get("server", ""))).hostname or ""


def write_release_kubeconfig(home: Path, path: Path | None, token: str) -> None:
    """The same cluster, with a token for its only user; readable by its owner alone."""
    cluster = dict(_cluster(read_kubeconfig(path), path))
    authority = cluster.pop("certificate-authority", None)
    if authority and path:
        content = (path.parent / authority).read_bytes()
        cluster["certificate-authority-data"] = base64.b64encode(content).decode()
    content_of_file = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "release",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "release", "user": {"token": token}}],
        "contexts": [{"name": "release", "context": {"cluster": "cluster", "user": "release"}}],
    }
    # JSON is YAML too.
    write_private(release_kubeconfig(home), json.dumps(content_of_file, indent=2))


def _cluster(kubeconfig: dict[str, Any], path: Path | None) -> dict[str, Any]:
    contexts = {entry["name"]: entry.get("context") or {} for entry in kubeconfig.get("contexts") or []}
    clusters: dict[str, dict[str, Any]] = {entry["name"]: entry.get("cluster") or {} for entry in kubeconfig["clusters"]}
    current = kubeconfig.get("current-context")
    name = contexts.get(current, {}).get("cluster")
    if name not in clusters:
        raise ConfigurationError(f"KUBECONFIG ({path})", [f"current-context: found {current!r}, expected one that names a cluster"])
    return clusters[name]
