import json
from pathlib import Path
from typing import Any

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.configuration import FILE, Configuration, parse_configuration
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.ports.app_environment import Finished
from nocturne.ports.cluster import Cluster
from nocturne.steps.world import World
from tests.fakes.app_client import FakeAppClients
from tests.fakes.app_environment import FakeAppEnvironment
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.code_source import FakeCodeSource
from tests.fakes.file_cache import FakeFileCache
from tests.fakes.image_builder import FakeImageBuilder, FakeImageRunner
from tests.fakes.image_registry import FakeImageRegistry
from tests.fakes.model_store import FakeModelStore
from tests.fakes.wheel_source import FakeWheelSource

RELEASE_TOML = b"""
name = "digits"
[night]
environment = "production"
[model]
name = "digits"
[image]
repository = "digits"
base = "base/python:3.11"
[judge]
golden = "golden.json"
min_accuracy = 0.5
[environments.production]
target = "swarm"
connection = "production"
manifests = "swarm"
verify_seconds = 1
"""
LABELS = ("1", "2", "3", "4")
GOLDEN = json.dumps({"samples": [{"image": f"picture of {label}", "label": label} for label in LABELS]}).encode()
APP = {
    FILE: RELEASE_TOML,
    "golden.json": GOLDEN,
    "swarm/compose.yaml": b"services: {web: {}}",
    "requirements.txt": b"flask==3.0\n",
    "main.py": b"print('one')",
}


class FakeWorld(World):
    """Every port faked, but for the ledger, which is a real one in a file. What the running app answers follows the cluster."""

    def __init__(self, folder: Path) -> None:
        self.configuration: Configuration = parse_configuration(RELEASE_TOML, FILE)
        self.lines: list[str] = []
        self.log = self.lines.append
        self.clock = FakeClock()
        self.ledger = SqlLedger.open(f"sqlite:///{folder / 'ledger.db'}", self.clock)
        self.code = FakeCodeSource(APP)
        self.models = FakeModelStore()
        self.models.add("v1", {"model.onnx": b"weights 1", "model.json": b"{}"})
        self.registry = FakeImageRegistry()
        self.registry.add("base/python:3.11")
        self.builder = FakeImageBuilder(self.registry)
        self.runner = FakeImageRunner()
        self.wheels = FakeWheelSource()
        self.environment = FakeAppEnvironment()
        self.clients = FakeAppClients()
        self.cache = FakeFileCache(folder / "cache")
        self.production = FakeCluster()
        self.answers_in_production: dict[str, tuple[str, ...]] = {}
        self.evaluates(1.0)
        self.clients.serve(self.runner.url, self._routes(self._tried))
        self.clients.serve(self.production.url, self._routes(lambda: self.production.desired and self.production.desired.image))

    def at(self, commit: str) -> "FakeWorld":
        content = self.code.read(commit, FILE)
        self.configuration = parse_configuration(content, f"app/{FILE} at {commit[:12]}")
        return self

    def cluster(self, environment: str) -> Cluster:
        return self.production

    def evaluates(self, accuracy: float, faults: tuple[str, ...] = (), latency: float = 1.0) -> None:
        """What the app's own evaluation will say from now on."""
        right = round(accuracy * len(LABELS))
        answers = [label if index < right else "?" for index, label in enumerate(LABELS)]
        result: dict[str, Any] = {
            "faults": list(faults),
            "accuracy": None if faults else accuracy,
            "answers": [] if faults else answers,
            "latency_ms": {"p50": latency, "p99": latency},
        }
        self.environment.script("app.evaluate", Finished(0, json.dumps(result), ""))

    def tests_fail(self, *names: str) -> None:
        """How the app's tests end from now on: well without names."""
        lines = "".join(f"FAILED {name} - assert\n" for name in names)
        self.environment.script("pytest", Finished(1 if names else 0, f"{lines}= {len(names)} failed =", ""))

    def push(self, **files: bytes) -> None:
        """A commit that changes main.py, or the files that are given (`__` stands for a slash, `_` for a dot)."""
        changed = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
        newest = self.code.commits[self.code.refs["HEAD"]]
        number = f"print({len(self.code.commits)})".encode()
        self.code.commit({**newest, **(changed or {"main.py": number})})

    def golden(self) -> GoldenSet:
        return parse_golden_set(GOLDEN, "golden.json")

    def _tried(self) -> str | None:
        return self.runner.started[-1][0] if self.runner.running else None

    def _routes(self, image: Any) -> dict[str, Any]:
        def version(body: Any) -> tuple[int, Any]:
            found = self._release_json(image())
            return (200, found) if found else (503, "no server")

        def score(body: Any) -> tuple[int, Any]:
            found = self._release_json(image())
            if not found:
                return 503, "no server"
            wanted = json.loads(body["input"])
            answers = self.answers_in_production.get(found["release"]) if image() != self._tried() else None
            labels = dict(zip((f"picture of {label}" for label in LABELS), answers or self._judged(), strict=True))
            return 200, {"result": [[[[labels[item], 99.0]] for item in wanted], "Computed in 1 ms"]}

        return {"GET /version": version, "POST /score": score, "GET /readyz": lambda body: (200, "ready")}

    def _judged(self) -> tuple[str, ...]:
        ending = self.environment.run(Path(), ["app.evaluate"], timeout=1, log=lambda line: None)
        self.environment.commands.pop()
        return tuple(json.loads(ending.output)["answers"])

    def _release_json(self, image: str | None) -> dict[str, Any] | None:
        if not image:
            return None
        content: dict[str, Any] = json.loads(self.registry.layers[image.removeprefix(f"{self.registry.host}/")]["/release.json"])
        return content


__all__ = ["APP", "GOLDEN", "LABELS", "FakeWorld"]
