"""Whether the ports are free, and who has those that are not."""

import os
from collections.abc import Iterable
from contextlib import suppress

from nocturne.domain.errors import ConfigurationError
from nocturne.sandbox import processes
from nocturne.sandbox.settings import Port

_LISTENING = "0A"


def require_free(ports: Iterable[Port]) -> None:
    """Raises ConfigurationError that names each taken port, who has it and the variable that moves it."""
    faults = [
        f"port {port.number} ({port.part}) is taken by {_owner(port.number)}; end that or set {port.variable} to a free port"
        for port in ports
        if not is_free(port.number)
    ]
    if faults:
        raise ConfigurationError("the choice of ports", faults)


def is_free(port: int) -> bool:
    """Whether nobody listens on a TCP port, on any address of this machine; lingering connections do no harm."""
    return not _listening_inodes(port)


def owner_of(port: int) -> int | None:
    """The pid of the process that listens on a port, None when there is none or it belongs to somebody else."""
    inodes = _listening_inodes(port)
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return next((info.pid for info in processes.all_processes() if sockets & _open_files(info.pid)), None) if sockets else None


def _owner(port: int) -> str:
    pid = owner_of(port)
    return f"{processes.name_of(pid)} (pid {pid})" if pid else "a process that this user may not see"


def _listening_inodes(port: int) -> set[str]:
    # Source: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
    inodes = set()
    for table in ("net/tcp", "net/tcp6"):
        file = processes.PROC / table
        rows = file.read_text().splitlines()[1:] if file.exists() else []
        for fields in (row.split() for row in rows):
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _open_files(pid: int) -> set[str]:
    folder = processes.PROC / str(pid) / "fd"
    targets: set[str] = set()
    try:
        entries = os.listdir(folder)
    except OSError:
        # The process has ended meanwhile, or belongs to somebody else.
        return targets
    for entry in entries:
        with suppress(OSError):  # this file was closed meanwhile
            targets.add(os.readlink(folder / entry))
    return targets
