"""The whole sandbox: its parts, and the order in which they start."""

from pathlib import Path

from nocturne.domain.errors import Conflict
from nocturne.sandbox import azurite, debian, port_check
from nocturne.sandbox.airflow_server import AirflowServer
from nocturne.sandbox.blob import Blob
from nocturne.sandbox.engine import Engine
from nocturne.sandbox.images import BASE, FRONT_DOOR, Images
from nocturne.sandbox.only_one import LOCK
from nocturne.sandbox.part import Part, PartStatus
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import Report
from nocturne.sandbox.registry import Registry
from nocturne.sandbox.remembered import KUBERNETES
from nocturne.sandbox.settings import Settings
from nocturne.sandbox.steps_in_parallel import Step
from nocturne.sandbox.swarm_target import SwarmTarget
from nocturne.sandbox.target import Target


class Sandbox:
    """The parts of one sandbox, by name, and what has to be done to start them."""

    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._in_engine = settings.home / "run" / "in-engine"
        self.programs = Programs(settings.logs)
        self.engine = Engine(settings.engine_url, settings.home)
        self.target = self._target()
        self.parts: tuple[Part, ...] = (
            AirflowServer(settings, self.programs),
            Registry(settings, self.programs),
            Blob(settings, self.programs),
            *self.target.parts,
        )

    def steps(self) -> list[Step]:
        """What `up` does. Airflow takes longest and needs nothing of the others to start."""
        no_registry_program = not debian.found("docker-registry") and not debian.can_install()
        needs = {
            "airflow": (),
            "registry": ("engine",) if no_registry_program else ("packages",),
            "blob": ("packages",),
            **self.target.needs,
        }
        return [
            *(Step(part.name, lambda part=part: part.start(self._report), needs[part.name]) for part in self.parts),  # type: ignore[misc]
            Step("packages", self._packages),
            Step("engine", self._enter_engine, ("packages",)),
            Step("base image", self._base_image, ("engine", "registry")),
            *self.target.steps(),
        ]

    def preparations(self) -> list[Step]:
        """What all sandboxes on this machine have in common."""
        return [
            Step("packages", self._packages),
            Step("engine", self._engine, ("packages",)),
            Step("azurite", lambda: azurite.install(self._settings.tools, self.programs), ("packages",)),
        ]

    def require_free_ports(self) -> None:
        """Raises ConfigurationError for each port that somebody else has."""
        ours = {status.name for status in self.status() if status.occupied}
        port_check.require_free(port for port in self._settings.ports if port.part not in ours)

    def status(self) -> list[PartStatus]:
        """Every part, and the engine below them."""
        reachable = self.engine.reachable()
        whose = "started by the sandbox" if self.engine.ours else "not started by the sandbox"
        detail = f"{self._settings.engine_url}, {whose}" if reachable else f"no answer on {self._settings.engine_url}"
        return [PartStatus("engine", reachable, detail), *self.target.status(), *(part.status() for part in self.parts)]

    def stops(self, *, for_good: bool = False) -> list[Step]:
        """What `down` does; data stays. Parts in the engine are left alone where the engine does not run.

        for_good: what goes on running is about to be removed, so nothing is said of it.
        """
        left_alone = self.target.parts if self.target.in_engine and not self.engine.reachable() else ()
        return [
            Step(part.name, lambda part=part: self._stop(part))  # type: ignore[misc]
            for part in self.parts
            if part not in left_alone and not (for_good and part.left_running)
        ]

    def was_in_engine(self) -> bool:
        """Whether anything was ever put into the engine for this sandbox."""
        return self._in_engine.exists()

    def release_engine(self) -> None:
        """Stop the engine when sandboxes started it and none of them needs it now."""
        if self.engine.release():
            self._report.ready("engine", "stopped")

    def remove_from_target(self) -> None:
        """Remove what was made where the sandbox ships to, be it the engine or another place."""
        if self.target.in_engine and not self.was_in_engine():
            return
        self._report.ready(self._settings.target, f"{self.target.remove()} removed")

    def remove_images(self) -> None:
        """Remove the names of images from the engine."""
        with self.engine.session() as client:
            images = Images(self._settings, client, self.programs)
            images.remove([images.local_name(BASE), images.local_name(FRONT_DOOR), *images.pushed_names()])
        self._report.ready("engine", "images removed")

    def _stop(self, part: Part) -> None:
        ran = part.stop()
        self._report.ready(part.name, part.left_running or ("stopped" if ran else "was not running"))

    def _target(self) -> Target:
        if self._settings.target != KUBERNETES:
            return SwarmTarget(self._settings, self.engine, self.programs, self._report)
        # Its client takes a second to load.
        from nocturne.sandbox.kubernetes_target import KubernetesTarget

        return KubernetesTarget(self._settings, self._report)

    def _packages(self) -> None:
        lacking = debian.missing()
        if self.engine.reachable():
            lacking = [program for program in lacking if program.name not in debian.ENGINE_PROGRAMS]
        if not lacking:
            return
        packages = ", ".join(program.package for program in lacking)
        self._report.working("packages", f"installing {packages}")
        debian.install(lacking, self.programs)
        self._report.ready("packages", f"installed {packages}")

    def _engine(self) -> None:
        if not self.engine.reachable():
            self._report.working("engine", "starting")
        self._report.ready("engine", self.engine.ensure())

    def _enter_engine(self) -> None:
        self._engine()
        self._in_engine.parent.mkdir(parents=True, exist_ok=True)
        self._in_engine.touch()

    def _base_image(self) -> None:
        with self.engine.session(timeout=300) as client:
            images = Images(self._settings, client, self.programs)
            if images.in_registry():
                self._report.ready("base image", "was in the registry")
                return
            where = images.ensure(BASE, lambda text: self._report.working("base image", text))
            images.push_base()
        self._report.ready("base image", f"{where}, pushed to {self._settings.registry_host}")


def require_own_home(home: Path, tools: Path) -> None:
    """Raises Conflict when there is something in the home that no sandbox put there: `clean` would delete it."""
    strange = [entry for entry in home.iterdir() if entry != tools] if home.is_dir() else []
    if strange and not (home / LOCK).exists():
        raise Conflict(
            f"{home} is not empty and holds no sandbox (found {strange[0].name})",
            advice="set NOCTURNE_HOME to an empty or new folder",
        )
