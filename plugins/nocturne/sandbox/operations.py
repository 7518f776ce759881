"""What a person asks of the sandbox: up, down, clean, status."""

import shutil

from nocturne.sandbox.environment import write_environment
from nocturne.sandbox.only_one import only_one
from nocturne.sandbox.part import PartStatus
from nocturne.sandbox.progress import Report, SilentReport
from nocturne.sandbox.remembered import Remembered, remember
from nocturne.sandbox.sandbox import Sandbox, require_own_home
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.steps_in_parallel import run_all


def up(settings: Settings, report: Report) -> None:
    """Have everything run; what runs already is left as it is. Safe to repeat, and goes on where an earlier one failed.

    Raises ConfigurationError (ports), Conflict (another command is at work, or the home is not ours), Broken (a part failed; those
    that run stay up).
    """
    require_own_home(settings.home, settings.tools)
    with only_one(settings.home, "sandbox up"):
        sandbox = Sandbox(settings, report)
        sandbox.require_free_ports()
        write_environment(settings)
        remember(settings.home, Remembered(settings.target, str(settings.kubeconfig or "")))
        run_all(sandbox.steps(), report.failed, sandbox.programs.stop)


def prepare(settings: Settings, report: Report) -> None:
    """Have everything that is not of one sandbox alone: programs, Azurite, a running engine. `down` gives the engine back.

    For whoever starts parts on their own, such as tests; the engine stays at least as long as this process. Raises Broken.
    """
    with only_one(settings.home, "sandbox prepare"):
        sandbox = Sandbox(settings, report)
        run_all(sandbox.preparations(), report.failed, sandbox.programs.stop)


def down(settings: Settings, report: Report) -> None:
    """End every process and container that `up` started, and keep all data. Raises Conflict, Broken."""
    if not settings.home.is_dir():
        return
    require_own_home(settings.home, settings.tools)
    with only_one(settings.home, "sandbox down"):
        _stop(Sandbox(settings, report), report)


def clean(settings: Settings, report: Report) -> None:
    """`down`, then remove all data: service and network or namespace, images and the home. Raises Conflict, Broken."""
    if not settings.home.is_dir():
        return
    require_own_home(settings.home, settings.tools)
    with only_one(settings.home, "sandbox clean"):
        sandbox = Sandbox(settings, report)
        run_all(sandbox.stops(for_good=True), report.failed, sandbox.programs.stop)
        if sandbox.was_in_engine():
            sandbox.engine.ensure()
        sandbox.remove_from_target()
        if sandbox.was_in_engine():
            sandbox.remove_images()
        sandbox.release_engine()
        shutil.rmtree(settings.home)
    report.ready("home", f"{settings.home} removed")


def status(settings: Settings) -> list[PartStatus]:
    """Every part as it is now; changes nothing."""
    return Sandbox(settings, SilentReport()).status()


def _stop(sandbox: Sandbox, report: Report) -> None:
    run_all(sandbox.stops(), report.failed, sandbox.programs.stop)
    sandbox.release_engine()
