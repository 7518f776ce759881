"""Three nights (only the model changed, only the code changed, nothing changed), as Nocturne and as Docker alone do them.

    python benchmarks/night.py [--rounds 3] [--model-mib 100] [--json FILE]

Both sides push to the same registry on the same machine, one after the other in each round, and take turns in going first; the
first round is not counted. Targets: joining a new model takes at most an eighth of the time that `docker build` and `docker push`
take, and a night without a change moves no bytes. Missing a target is said, and no failure: times depend on the machine.

Left out, because Docker alone has nothing to compare: test_code, judge_model, try_image and what follows.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from arguments import positive
from docker_side import DockerProject, projects
from measure import Meter
from nocturne_side import NocturneSide
from results import CODE, MODEL, NOTHING, show
from workplace import Workplace, run, workplace

from nocturne.domain.errors import NocturneError
from nocturne.sandbox.progress import LineReport, Report

_MIB = 1024 * 1024


class Benchmark:
    """Both sides, and what changes between their nights."""

    def __init__(self, place: Workplace, model_size: int) -> None:
        self.meter = Meter((place.pushed, place.fetched))
        self._place = place
        self._model_size = model_size
        self._nocturne = NocturneSide(place, self.meter)
        self._model_last, self._code_last = projects(place, self._nocturne.world(), self.meter)
        self._rounds = 0
        self._start()

    def round(self) -> None:
        """All three nights on both sides."""
        self._rounds += 1
        model = self._new_model(f"model-{self._rounds}")
        self._nocturne.publish(model)
        self._model_last.take_model(model)
        self._both(MODEL, self._model_last)
        self._place.commit(f"Change {self._rounds}")
        self._code_last.take_code()
        self._both(CODE, self._code_last)
        self._both(NOTHING, self._model_last)

    def _start(self) -> None:
        model = self._new_model("model-0")
        # This one keeps its model: only its code changes.
        self._code_last.take_model(model)
        self._code_last.night("start")

    def _both(self, scenario: str, project: DockerProject) -> None:
        sides: list[Callable[[str], None]] = [self._nocturne.night, project.night]
        for side in sides if self._rounds % 2 else reversed(sides):
            side(scenario)

    def _new_model(self, name: str) -> Path:
        """A model folder. Its weights are random: how a layer is moved does not depend on what is in it, unless it is squeezed,
        and trained weights hardly are."""
        folder = self._place.home / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(os.urandom(self._model_size))
        described = {"name": "image", "shape": [1], "type": "float32"}
        card = {"schema": 1, "name": "digits", "model": "model.onnx", "input": described, "output": described}
        (folder / "model.json").write_text(json.dumps({**card, "labels": ["a", "b"], "metrics": {"accuracy": 1.0}}))
        return folder


def measure(rounds: int, model_mib: int, home: Path, report: Report) -> Meter:
    """What was measured in the rounds that count."""
    with workplace(home, report) as place:
        report.working("both sides", "warming up, which includes installing the app's dependencies")
        benchmark = Benchmark(place, model_mib * _MIB)
        benchmark.round()
        benchmark.meter.found.clear()
        for number in range(1, rounds + 1):
            report.working("both sides", f"round {number} of {rounds}")
            benchmark.round()
        return benchmark.meter


def main() -> int:
    arguments = _arguments()
    # So that the servers are stopped then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="nocturne-benchmark-") as home:
            meter = measure(arguments.rounds, arguments.model_mib, Path(home), LineReport(sys.stderr))
        engine = run("docker", "version", "--format", "{{.Server.Version}}")
    except NocturneError as error:
        print(f"The benchmark cannot run: {error}", file=sys.stderr)
        return 1
    about = {"cores": os.cpu_count(), "docker_engine": engine, "rounds": arguments.rounds, "model_mib": arguments.model_mib}
    summary = show(meter.found, about)
    if arguments.json:
        content = {"about": about, "summary": summary, "measured": [asdict(item) for item in meter.found]}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=3, help="rounds that count (default: 3)")
    parser.add_argument("--model-mib", type=positive, default=100, help="size of the model in MiB (default: 100)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
