"""Looking at this machine's processes through /proc.

Source of the formats: https://man7.org/linux/man-pages/man5/proc.5.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessInfo:
    """One process. started: clock ticks after boot; with the pid it names a process for good, as pids are used again."""

    pid: int
    parent: int
    session: int
    started: int


def look_up(pid: int) -> ProcessInfo | None:
    """The process with this pid, None when there is none or it is a zombie: one that ended and nobody asked about yet."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name stands in parentheses and may itself contain any character.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return ProcessInfo(pid, parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def all_processes() -> Iterator[ProcessInfo]:
    """Every process that runs now, zombies left out."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            found = look_up(int(entry.name))
            if found is not None:
                yield found


def environment_of(pid: int) -> frozenset[str]:
    """The `NAME=value` entries that a process was started with; empty when it is gone or belongs to somebody else."""
    try:
        content = (PROC / str(pid) / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return frozenset()
    return frozenset(content.decode(errors="replace").split("\0"))


def name_of(pid: int) -> str:
    """The command's short name, empty when the process is gone."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def boot_id() -> str:
    """Differs after each start of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def family(marker: str) -> list[ProcessInfo]:
    """The processes that were started with `marker` (`NAME=value`) in their environment, and everything below them.

    A process group is not enough: Airflow gives each task a group of its own.
    """
    everyone = list(all_processes())
    members = {info.pid: info for info in everyone if marker in environment_of(info.pid)}
    grew = True
    while grew:
        below = {info.pid: info for info in everyone if info.parent in members and info.pid not in members}
        members.update(below)
        grew = bool(below)
    return list(members.values())
