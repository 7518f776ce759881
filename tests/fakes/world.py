import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.configuration import FILE, Configuration
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.app_client import AppClient
from nocturne.ports.app_environment import Finished
from nocturne.ports.cluster import Cluster, Side
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
from tests.fakes.model_trust import FakeModelInspector, FakeModelSignatures
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


class JudgingEnvironment(FakeAppEnvironment):
    """An app whose evaluation depends on what is in main.py and in model.onnx; what was said last counts first."""

    def __init__(self) -> None:
        super().__init__()
        self._judgements: list[tuple[bytes | None, bytes | None, Finished]] = []

    def judge(self, code: bytes | None, model: bytes | None, ending: Finished) -> None:
        """How an evaluation of this code with this model ends; None stands for any."""
        self._judgements.insert(0, (code, model, ending))

    def judged(self, code: bytes, model: bytes) -> Finished:
        """How it ends."""
        fitting = (ending for one, other, ending in self._judgements if one in (None, code) and other in (None, model))
        return next(fitting)

    def run(self, app: Path, command: Sequence[str], **limits: Any) -> Finished:
        finished = super().run(app, command, **limits)
        if "app.evaluate" not in command or finished != Finished(0, "", ""):
            return finished
        model = Path(command[command.index("--model") + 1])
        return self.judged((app / "main.py").read_bytes(), (model / "model.onnx").read_bytes())


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
        self.signatures = FakeModelSignatures()
        self.inspector = FakeModelInspector()
        self.registry = FakeImageRegistry()
        self.registry.add("base/python:3.11")
        self.builder = FakeImageBuilder(self.registry)
        self.runner = FakeImageRunner()
        self.wheels = FakeWheelSource()
        self.environment = JudgingEnvironment()
        self.clients = FakeAppClients()
        self.cache = FakeFileCache(folder / "cache")
        self.production = FakeCluster(clients=self.clients)
        self.answers_in_production: dict[str, tuple[str, ...]] = {}
        self.samples_url = ""
        self.evaluates(1.0)
        self.clients.serve(self.runner.url, self._routes(self._tried))
        live = self._routes(lambda: self.production.desired and self.production.desired.image)
        self.clients.serve(self.production.url, live)
        self.clients.serve(self.production.address(Side.LIVE), live)
        beside = self._routes(lambda: self.production.beside and self.production.beside.image)
        self.clients.serve(self.production.address(Side.NEW), beside)

    def at(self, commit: str) -> "FakeWorld":
        content = self.code.read(commit, FILE)
        self.configuration = parse_configuration(content, f"app/{FILE} at {commit[:12]}")
        return self

    def cluster(self, environment: str) -> Cluster:
        return self.production

    def samples(self, environment: str) -> AppClient | None:
        return self.clients.open(self.samples_url) if self.samples_url else None

    def evaluates(
        self,
        accuracy: float,
        faults: tuple[str, ...] = (),
        latency: float = 1.0,
        *,
        code: bytes | None = None,
        model: bytes | None = None,
        memory_mb: float | None = None,
    ) -> None:
        """What the app's own evaluation will say from now on: of every pair, or only of this main.py or this model.onnx."""
        right = round(accuracy * len(LABELS))
        answers = [label if index < right else "?" for index, label in enumerate(LABELS)]
        result: dict[str, Any] = {
            "faults": list(faults),
            "accuracy": None if faults else right / len(LABELS),
            "answers": [] if faults else answers,
            "latency_ms": {"p50": latency, "p99": latency},
            "memory_mb": memory_mb,
        }
        self.environment.judge(code, model, Finished(0, json.dumps(result), ""))

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
            labels = dict(
                zip((f"picture of {label}" for label in LABELS), answers or self._judged(image(), found["commit"]), strict=True)
            )
            return 200, {"result": [[[[labels.get(item, "0"), 99.0]] for item in wanted], "Computed in 1 ms"]}

        return {"GET /version": version, "POST /score": score, "GET /readyz": lambda body: (200, "ready")}

    def _judged(self, image: str, commit: str) -> tuple[str, ...]:
        model = self.registry.layers[image.removeprefix(f"{self.registry.host}/")]["/model/model.onnx"]
        ending = self.environment.judged(self.code.commits[commit]["main.py"], model)
        return tuple(json.loads(ending.output)["answers"])

    def _release_json(self, image: str | None) -> dict[str, Any] | None:
        if not image:
            return None
        content: dict[str, Any] = json.loads(self.registry.layers[image.removeprefix(f"{self.registry.host}/")]["/release.json"])
        return content


__all__ = ["APP", "GOLDEN", "LABELS", "FakeWorld"]
