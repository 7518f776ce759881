"""Installing Azurite, Microsoft's emulator of Azure Storage."""

import fcntl
import shutil
from pathlib import Path

from nocturne.sandbox.programs import Programs

# The last version that runs on the Node.js of Debian 12 (18); 3.36 and later want 21 and more.
VERSION = "3.35.0"


def installed(tools: Path) -> Path | None:
    """The program to give to `node`, None when it is not there."""
    folder = _folder(tools)
    return folder / "node_modules/azurite/dist/src/blob/main.js" if (folder / "complete").exists() else None


def install(tools: Path, programs: Programs) -> None:
    """Install it below `tools` with npm, unless it is there; whoever asks at the same time waits. Raises Broken."""
    folder = _folder(tools)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed(tools):
            return
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), f"azurite@{VERSION}"]
        programs.run("npm", command, "see that npm can reach its registry, then run the same command again")
        (folder / "complete").touch()


def _folder(tools: Path) -> Path:
    return tools / f"azurite-{VERSION}"
