"""A kubeconfig, from a file or from the text in a connection."""

from pathlib import Path
from typing import Any

import yaml

from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection

_FILES = {"cluster": ("certificate-authority",), "user": ("client-certificate", "client-key", "tokenFile")}


def kubeconfig_file(connection: Connection, path: Path) -> dict[str, Any]:
    """Read the file that a connection names. Raises ConfigurationError."""
    try:
        content = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fault = f"extra.kube_config_path: {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigurationError(f"the connection {connection.id}", [fault]) from error
    return _anchored(parsed_kubeconfig(str(path), content), path.absolute().parent)


def parsed_kubeconfig(source: str, content: object) -> dict[str, Any]:
    """A kubeconfig as YAML, JSON or an object. Raises ConfigurationError about `source`, without a word of the content."""
    try:
        parsed = yaml.safe_load(content) if isinstance(content, str) else content
    except yaml.YAMLError as error:
        # Without the error's own text, which quotes the line and a secret in it.
        raise ConfigurationError(source, ["found neither YAML nor JSON, expected a kubeconfig"]) from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(source, [f"found {type(parsed).__name__}, expected the fields of a kubeconfig"])
    return parsed


def _anchored(kubeconfig: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths in a kubeconfig are relative to its file, as kubectl takes them."""
    for part, keys in _FILES.items():
        for entry in kubeconfig.get(f"{part}s") or []:
            fields = (entry or {}).get(part) or {}
            fields.update({key: str(folder / fields[key]) for key in keys if fields.get(key)})
    return kubeconfig
