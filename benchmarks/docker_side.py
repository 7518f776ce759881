"""The night as `docker build` and `docker push` do it, with everything in Docker's favour.

The dependencies are in an image of their own, so that no wheels are in the build's context. What never changes comes first. The
model and the code are each in a layer of their own, and whichever changes comes last: no single Dockerfile can have both, so there
are two. The model is on this machine already and need not be fetched.
"""

import os
import shutil
from pathlib import Path

from measure import Meter
from workplace import Workplace, run

from nocturne.composition import ConnectedWorld
from nocturne.ports.wheel_source import WheelTarget

SIDE = "docker"
_BUILD = """\
FROM {dependencies} AS build
USER 0
COPY app /srv/app
RUN /srv/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /srv/app

FROM {base}
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
CMD ["python", "-m", "app"]
COPY --from={dependencies} /srv/venv /srv/venv
{layers}
"""
_CODE, _MODEL = "COPY --from=build /srv/app /srv/app", "COPY model /model"


class DockerProject:
    """A folder with the app, the model and a Dockerfile, and the image that is built from it night after night."""

    def __init__(self, place: Workplace, name: str, dependencies: str, layers: tuple[str, str], meter: Meter) -> None:
        self._folder = place.home / name
        self._image = place.image(f"{name}:night")
        self._meter = meter
        self._place = place
        self._folder.mkdir()
        dockerfile = _BUILD.format(base=place.base, dependencies=dependencies, layers="\n".join(layers))
        (self._folder / "Dockerfile").write_text(dockerfile)
        ignored = (place.app / ".dockerignore").read_text().splitlines()
        lines = [f"app/{line}" for line in ignored if line and not line.startswith("#")]
        (self._folder / ".dockerignore").write_text("\n".join(lines))
        self.take_code()

    def take_code(self) -> None:
        """Have the code as its developers pushed it last; not measured."""
        shutil.copytree(self._place.app, self._folder / "app", dirs_exist_ok=True)

    def take_model(self, model: Path) -> None:
        """Have this model in place of the last; not measured."""
        shutil.rmtree(self._folder / "model", ignore_errors=True)
        shutil.copytree(model, self._folder / "model", copy_function=os.link)

    def night(self, scenario: str) -> None:
        """Build and push, each measured."""
        with self._meter.step(scenario, SIDE, "docker build"):
            run("docker", "build", "--quiet", "--network", "none", "--tag", self._image, str(self._folder))
        with self._meter.step(scenario, SIDE, "docker push"):
            run("docker", "push", "--quiet", self._image)


def projects(place: Workplace, world: ConnectedWorld, meter: Meter) -> tuple[DockerProject, DockerProject]:
    """The one where the model comes last, and the one where the code does."""
    dependencies = _dependencies(place, world)
    return (
        DockerProject(place, "model-last", dependencies, (_CODE, _MODEL), meter),
        DockerProject(place, "code-last", dependencies, (_MODEL, _CODE), meter),
    )


def _dependencies(place: Workplace, world: ConnectedWorld) -> str:
    """An image with the app's environment, made by the app's own Dockerfile."""
    settings, folder = world.configuration.image, place.home / "dependencies"
    shutil.copytree(place.app, folder)
    target = WheelTarget(settings.python, settings.platform, settings.glibc)
    world.wheels.fetch(folder / "requirements.txt", target, folder / "wheels", world.log)
    image = place.image("dependencies:night")
    base = f"BASE_IMAGE={place.base}"
    run("docker", "build", "--quiet", "--network", "none", "--build-arg", base, "--tag", image, str(folder))
    return image
