"""What a sandbox ships to, remembered in its home: whoever stops it need not say it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from nocturne.domain.errors import Broken

SWARM, KUBERNETES = TARGETS = ("swarm", "kubernetes")


@dataclass(frozen=True)
class Remembered:
    """kubeconfig: path of the one that the cluster was reached with; empty for Swarm."""

    target: str
    kubeconfig: str = ""


def recall(home: Path) -> Remembered | None:
    """None before the first `up`. Raises Broken when the file is not what was written."""
    file = file_of(home)
    try:
        found = Remembered(**json.loads(file.read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError) as error:
        raise Broken(f"{file} cannot be read: {error}", advice="remove it, and say TARGET with the next command") from error
    if found.target not in TARGETS:
        raise Broken(f"{file} names the target {found.target!r}, expected one of {', '.join(TARGETS)}", advice="remove it")
    return found


def remember(home: Path, what: Remembered) -> None:
    """Keep it until `clean`."""
    file_of(home).write_text(json.dumps(asdict(what)))


def file_of(home: Path) -> Path:
    """Where it is kept."""
    return home / "target.json"
