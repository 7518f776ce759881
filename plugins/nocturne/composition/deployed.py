"""What is deployed on this machine: the configuration beside the DAGs, and the folder of what can be fetched again."""

import os
from dataclasses import replace
from pathlib import Path

from nocturne.domain.configuration import FILE, Configuration
from nocturne.domain.errors import ConfigurationError
from nocturne.domain.release_toml import parse_configuration

_CLONE = Path(__file__).parents[3]
_CACHE_BYTES = 20_000_000_000


def cache_folder() -> Path:
    """Where this machine keeps what it can fetch again: NOCTURNE_CACHE, else below NOCTURNE_HOME, else in the user's cache."""
    if chosen := os.environ.get("NOCTURNE_CACHE"):
        return Path(chosen)
    if home := os.environ.get("NOCTURNE_HOME"):
        return Path(home) / "cache"
    return Path.home() / ".cache" / "nocturne"


def cache_limit() -> int:
    """How many bytes of model files are kept in it: NOCTURNE_CACHE_BYTES, 20 GB without it, 0 for no limit."""
    text = os.environ.get("NOCTURNE_CACHE_BYTES") or str(_CACHE_BYTES)
    if not (text.isascii() and text.isdecimal()):
        raise ConfigurationError(
            "NOCTURNE_CACHE_BYTES", [f"found {text!r}, expected a whole number of bytes such as {_CACHE_BYTES}, or 0 for no limit"]
        )
    return int(text)


def deployed_configuration() -> Configuration:
    """The `release.toml` in the app's folder beside `plugins/`, or the file that NOCTURNE_RELEASE_FILE names.

    A run reads it only to learn where the code is and which environment it ships to, which NOCTURNE_ENVIRONMENT overrides;
    everything else comes from the file as it stands at the frozen commit.
    """
    path = Path(os.environ.get("NOCTURNE_RELEASE_FILE") or _CLONE / "app" / FILE)
    try:
        configuration = parse_configuration(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(str(path), [f"cannot be read: {error.strerror}"]) from error
    return _shipping_to(os.environ.get("NOCTURNE_ENVIRONMENT", ""), configuration, path)


def _shipping_to(environment: str, configuration: Configuration, path: Path) -> Configuration:
    if not environment:
        return configuration
    if environment not in configuration.environments:
        known = ", ".join(sorted(configuration.environments))
        raise ConfigurationError(
            "NOCTURNE_ENVIRONMENT", [f"found {environment!r}, expected one of {known}, the environments in {path}"]
        )
    return replace(configuration, night=replace(configuration.night, environment=environment))
