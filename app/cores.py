"""How many processor cores this process may really use, inside a container too."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores allowed by both the CPU affinity and the container's CPU quota, at least 1.

    A quota of 1.5 cores counts as 2: the second worker process uses the half that one alone could not.
    """
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return the quota in cores, or None where there is none (see cgroup-v2.rst, `cpu.max`, and sched-bwc.rst)."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        quota, period = _version_1(cgroup / "cpu")
    try:
        cores = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cores if cores > 0 else None


def _version_1(cpu: Path) -> tuple[str, str]:
    try:
        return (cpu / "cpu.cfs_quota_us").read_text().strip(), (cpu / "cpu.cfs_period_us").read_text().strip()
    except OSError:
        return "max", "0"
