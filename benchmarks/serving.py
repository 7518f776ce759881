"""The app beside other servers of the same model, all asked for the same image by the same client.

    python benchmarks/serving.py [--quick] [--model digits] [--only app fastapi ...] [--python FILE] [--json FILE]

In every round each server is started, asked until it answers rightly, warmed up, loaded by wrk from 1, 16 and 64 connections, and
stopped; each round begins with another server, and what counts are the medians. All servers do the same: decode, make grey or RGB,
resize, scale, ONNX Runtime with one thread, three best labels, JSON. The app does it with its default settings: limits, queue,
metrics, request ids and checks are on. Servers and client share the machine. A server that fails one request has no result.
Prints the tables of docs/serving.md. Targets are judged, and missing one is no failure: times depend on the machine. What was
measured is in the JSON file after each round, however the benchmark ends.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from arguments import positive
from serving_catalogue import LARGE, LIMIT, SMALL, Server
from serving_load import Load, Wrk, limit
from serving_material import Material, environment, materials, version
from serving_process import running
from serving_results import Results
from serving_table import Round, show

from nocturne.domain.errors import NocturneError
from nocturne.sandbox.progress import LineReport, Report

CONNECTIONS = (1, 16, 64)
WARM_UP_CONNECTIONS = 16
CATALOGUES = {"digits": SMALL, "resnet50": LARGE}
TIMES_LONGER = {"digits": 1, "resnet50": 3}
"""How much longer a load takes with a model that answers some ten times a second."""


@dataclass(frozen=True)
class Benchmark:
    """Rounds over some servers with one model, run by `python`. seconds: of each load; the warm-up takes a third of it."""

    material: Material
    home: Path
    seconds: float
    wrk: Wrk
    python: str
    report: Report

    def rounds(self, servers: Sequence[Server], count: int) -> Iterator[Round]:
        """Every server once in each round, each round beginning with another one. Raises Broken, also for a wrong answer."""
        pythons = {server.key: environment(server, self.python, self.report) for server in servers}
        expected: list[str] | None = None
        for number in range(count):
            first = number % len(servers)
            for server in [*servers[first:], *servers[:first]]:
                self.report.working(server.title, f"round {number + 1} of {count}")
                measured = self._one(server, pythons[server.key], expected)
                expected = list(measured.labels)
                yield measured

    def _one(self, server: Server, python: Path, expected: list[str] | None) -> Round:
        request = server.request(self.material.image, self.material.kind)
        with running(server, python, self.material.model, self.home) as (found, started):
            labels = found.wait(request, expected, started)
            idle, loaded = found.memory_bytes(), 0
            self._load(server, found.url, WARM_UP_CONNECTIONS, self.seconds / 3)
            loads, processor = [], []
            for connections in CONNECTIONS:
                before = found.processor_seconds()
                loads.append(self._load(server, found.url, connections, self.seconds))
                processor.append(found.processor_seconds() - before)
                loaded = max(loaded, found.memory_bytes())
            return Round(server.key, tuple(labels), found.start_seconds, idle, loaded, tuple(loads), tuple(processor))

    def _load(self, server: Server, url: str, connections: int, seconds: float) -> Load:
        if server.key == LIMIT:
            return limit(url, seconds)
        return self.wrk.load(url, server.request(self.material.image, self.material.kind), connections, seconds)


def main() -> int:
    arguments = _arguments()
    # So that a server is stopped then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    rounds, seconds = (1, 1.0) if arguments.quick else (arguments.rounds, float(arguments.seconds))
    about = {"cores": os.cpu_count(), "machine": platform.machine(), "rounds": rounds, "seconds": seconds}
    try:
        results = Results(arguments.json, {**about, "python": version(arguments.python)})
        with tempfile.TemporaryDirectory(prefix="nocturne-benchmark-") as home:
            report, folder = LineReport(sys.stderr), Path(home)
            wrk = Wrk(folder)
            found = materials(folder, report)
            for model, chosen in arguments.chosen.items():
                if not chosen:
                    report.ready(model, f"left out, for {', '.join(arguments.only)} does not run with it")
                    continue
                (place := folder / f"{model}-servers").mkdir()
                benchmark = Benchmark(found[model], place, seconds * TIMES_LONGER[model], wrk, arguments.python, report)
                measured = []
                for one in benchmark.rounds(chosen, rounds):
                    measured.append(one)
                    results.add(model, one)
                results.summarise(model, show(model, chosen, measured))
    except NocturneError as error:
        print(f"The benchmark cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    keys = list(dict.fromkeys(server.key for servers in CATALOGUES.values() for server in servers))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=5, help="rounds of all servers (default: 5)")
    parser.add_argument("--seconds", type=positive, default=6, help="of each load (default: 6)")
    parser.add_argument("--quick", action="store_true", help="one round with loads of a second: does it all work?")
    parser.add_argument("--model", choices=CATALOGUES, nargs="+", help="the small model, the large one (default: both)")
    parser.add_argument("--only", choices=keys, nargs="+", metavar="SERVER", help=f"of {', '.join(keys)} (default: all)")
    help_text = "the Python that runs all servers (default: this one); of two builds of one version, one may be a third slower"
    parser.add_argument("--python", default=sys.executable, metavar="FILE", help=help_text)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    arguments = parser.parse_args()
    arguments.chosen = {model: _chosen(model, arguments.only) for model in arguments.model or CATALOGUES}
    if not any(arguments.chosen.values()):
        there = [server.key for model in arguments.chosen for server in CATALOGUES[model]]
        parser.error(f"--only: found {', '.join(arguments.only)}, expected one of {', '.join(there)}")
    if arguments.json and not (folder := arguments.json.resolve().parent).is_dir():
        parser.error(f"--json: found no folder {folder}; make it first")
    return arguments


def _chosen(model: str, only: Sequence[str] | None) -> list[Server]:
    return [server for server in CATALOGUES[model] if not only or server.key in only]


if __name__ == "__main__":
    sys.exit(main())
