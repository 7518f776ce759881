"""Whether a process is one of those that the supervisor has started, as this one is."""

import os
from pathlib import Path


def is_sibling(pid: int) -> bool:
    """Tell whether a process lives and has the same parent as this one."""
    # That a process of this id lives is not enough: ids are used again. Its name may hold a ")": see proc_pid_stat(5).
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return state != "Z" and int(parent) == os.getppid()
