from collections.abc import Iterator
from contextlib import contextmanager

from nocturne.domain import digest
from nocturne.ports.image_builder import CodeImageRequest, ImageBuilder, ImageRunner, Log, RunningImage
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.scripted import Scripted


class FakeImageBuilder(Scripted, ImageBuilder):
    """Pushes into a fake registry. built: every request. The digest depends on the context's files, base and labels alone."""

    def __init__(self, registry: FakeImageRegistry) -> None:
        super().__init__()
        self._registry = registry
        self.built: list[CodeImageRequest] = []

    def build(self, request: CodeImageRequest, log: Log) -> str:
        self._called("build")
        self.built.append(request)
        context = request.context
        files = {str(path.relative_to(context)): path.read_bytes().hex() for path in context.rglob("*") if path.is_file()}
        image_digest = digest.of_json([files, request.base_image, dict(request.labels)])
        reference = request.target.removeprefix(f"{self._registry.host}/")
        self._registry.put(reference, image_digest, dict(request.labels))
        log(f"built {request.target}")
        return f"{request.target.rpartition(':')[0]}@{image_digest}"


class FakeImageRunner(Scripted, ImageRunner):
    """url: where a FakeAppClient answers for the container. output, exit_code: what the container shows (None: it runs).

    started: (image, port, name) of every try. running: names of the containers that are there now.
    """

    def __init__(self, url: str = "http://trial.test") -> None:
        super().__init__()
        self.url = url
        self.output: list[str] = []
        self.exit_code: int | None = None
        self.started: list[tuple[str, int, str]] = []
        self.running: list[str] = []

    @contextmanager
    def run(self, image: str, port: int, name: str, log: Log) -> Iterator[RunningImage]:
        self._called("run")
        self.started.append((image, port, name))
        self.running.append(name)
        try:
            yield RunningImage(self.url, lambda: iter(self.output), lambda: self.exit_code)
        finally:
            self.running.remove(name)
