"""Whose something is that was made outside of a sandbox' home, and whether that home is still there."""

import socket
from pathlib import Path

HOME_LABEL = "nocturne.home"
HOST_LABEL = "nocturne.host"


def is_abandoned(owner: str, home: Path) -> bool:
    """Whether the home that a label names was deleted without `clean`; `home` is ours. Only homes of this machine can be told."""
    return owner.startswith("/") and owner != str(home) and not Path(owner).exists()


def this_host() -> str:
    """The name of this machine, without which a path says little."""
    return socket.gethostname()
