"""Airflow's processes on this machine."""

from collections.abc import Iterator

import psutil

from tests.e2e.place import Place


def process_of(task_instance: str) -> int | None:
    """The process in which Airflow runs a task's code: it bears the task instance's id in its title."""
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or []).strip() == f"airflow worker -- {task_instance}":
            return int(process.pid)
    return None


def airflow_of(place: Place, component: str) -> Iterator[psutil.Process]:
    """The processes of a place's scheduler, triggerer or another component."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        home = (process.info["environ"] or {}).get("NOCTURNE_HOME")
        if home == str(place.home) and component in " ".join(process.info["cmdline"] or []):
            yield process
