"""Rolling out with Nocturne beside `kubectl`, on a real cluster, with the demo app.

    KUBECONFIG=... python benchmarks/rollout.py [--updates 10] [--rounds 5] [--rate 200] [--json FILE]

1. Lost requests: rolling updates and rollbacks in turn, blue-green switches and canaries, under a steady load of which half uses
   connections that stay open. Target: none is lost.
2. From apply to ready, against `kubectl apply` and `kubectl rollout status` of the same manifests, in turns. Target: 1.1 times.
3. From the first unready pod of a release that crashes to the previous one serving alone, beside `kubectl rollout undo` run by hand
   at that very moment. Shown, not judged: nobody stands by at night.

Both sides work on the same images and the same cluster in one go. Missing a target is said, and no failure: times depend on the
machine. The cluster's nodes must be able to pull from this machine's registry (`localhost:PORT`), so it runs on this machine.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from arguments import positive
from measure import Meter
from nocturne_side import NocturneSide
from rich import box
from rich.console import Console
from rich.table import Table
from rollout_place import Namespace, kubeconfig, manifests_for_kubectl, namespace, roll_out, two_releases
from workplace import CLONE, workplace

sys.path.insert(0, str(CLONE))
from nocturne.domain.errors import NocturneError
from nocturne.domain.strategy import Canary, Strategy, StrategyKind
from nocturne.ports.cluster import DesiredState, Phase, Stage
from nocturne.sandbox.progress import LineReport, Report
from tests.load import Load

_ROLLING = Strategy()
_BLUE_GREEN = Strategy(StrategyKind.BLUE_GREEN, keep_seconds=0)
_CANARY = Strategy(StrategyKind.CANARY, canary=Canary(share=0.34))


@dataclass
class Found:
    """What was measured. Seconds are lists over the rounds."""

    lost: dict[str, dict[str, Any]] = field(default_factory=dict)
    apply_nocturne: list[float] = field(default_factory=list)
    apply_kubectl: list[float] = field(default_factory=list)
    back_nocturne: list[float] = field(default_factory=list)
    back_kubectl: list[float] = field(default_factory=list)


class Benchmark:
    """Two releases, and a namespace for each side."""

    def __init__(self, first: DesiredState, second: DesiredState, ours: Namespace, theirs: Namespace, report: Report) -> None:
        self.found = Found()
        self._releases = (first, second)
        self._ours, self._theirs = ours, theirs
        self._report = report
        sample = json.loads((CLONE / "app" / "golden" / "digits.json").read_text())["samples"][0]
        self._body = {"input": json.dumps([sample["image"]])}

    def start(self) -> None:
        """Both sides run the first release."""
        self._must(_ROLLING, self._releases[0])
        self._kubectl(self._releases[0])

    def lost_requests(self, updates: int, rate: int) -> None:
        """Every kind of change under load."""
        kinds = (("rolling updates and rollbacks", _ROLLING, 2 * updates), ("blue-green switches", _BLUE_GREEN, updates))
        for name, strategy, count in (*kinds, ("canaries", _CANARY, updates)):
            self._report.working("lost requests", f"{count} {name}")
            if strategy is _CANARY:
                # Since the switches users are in a slot, beside which the next release would stand, whatever the strategy.
                for release in reversed(self._releases):
                    self._change(_ROLLING, release)
            port = int(self._ours.cluster(strategy).public_url().rpartition(":")[2])
            with Load(port, rate, "/score", self._body) as load:
                for number in range(count):
                    self._change(strategy, self._releases[(number + 1) % 2])
            self.found.lost[name] = {"changes": count, "requests": load.requests, "failed": len(load.failures)}
            if load.failures:
                self._report.working("lost requests", "; ".join(load.failures[:5]))

    def apply_to_ready(self, rounds: int) -> None:
        """Both sides in turns, each going first in every other round."""
        for number in range(rounds + 1):
            self._report.working("apply to ready", f"round {number} of {rounds}")
            desired = self._releases[(number + 1) % 2]
            sides: list[tuple[Callable[[], None], list[float]]] = [
                (lambda desired=desired: self._must(_ROLLING, desired), self.found.apply_nocturne),  # type: ignore[misc]
                (lambda desired=desired: self._kubectl(desired), self.found.apply_kubectl),  # type: ignore[misc]
            ]
            for side, seconds in sides if number % 2 else reversed(sides):
                started = time.perf_counter()
                side()
                if number:  # the first round warms up
                    seconds.append(time.perf_counter() - started)
                time.sleep(10)  # for what is leaving

    def bad_release(self, rounds: int) -> None:
        """A release that ends as soon as it starts, on both sides in turns."""
        for number in range(rounds):
            self._report.working("a bad release", f"round {number + 1} of {rounds}")
            sides = [(self._back_nocturne, self.found.back_nocturne), (self._back_kubectl, self.found.back_kubectl)]
            for side, seconds in sides if number % 2 else reversed(sides):
                seconds.append(side())
                time.sleep(10)

    def _change(self, strategy: Strategy, desired: DesiredState) -> None:
        self._must(strategy, desired)
        self._ours.cluster(strategy).retire(desired)

    def _must(self, strategy: Strategy, desired: DesiredState) -> None:
        last = roll_out(self._ours.cluster(strategy), desired)
        if last.phase is not Phase.COMPLETE:
            raise RuntimeError(f"a good release did not roll out: {last.message}")

    def _kubectl(self, desired: DesiredState) -> None:
        self._theirs.kubectl("apply", "-f", "-", content=manifests_for_kubectl(desired, self._theirs))
        self._theirs.kubectl("rollout", "status", "deployment/digits", "--timeout=300s")

    def _back_nocturne(self) -> float:
        good = self._live(self._ours)
        bad = _bad(good)
        cluster = self._ours.cluster(_ROLLING)
        cluster.apply(bad)
        started = _first_unready(self._ours)
        last = roll_out(cluster, bad)
        if last.phase is not Phase.FAILED:
            raise RuntimeError(f"the bad release was not found out: {last.message}")
        self._must(_ROLLING, good)
        return time.perf_counter() - started

    def _back_kubectl(self) -> float:
        bad = _bad(self._live(self._theirs))
        self._theirs.kubectl("apply", "-f", "-", content=manifests_for_kubectl(bad, self._theirs))
        started = _first_unready(self._theirs)
        self._theirs.kubectl("rollout", "undo", "deployment/digits")
        self._theirs.kubectl("rollout", "status", "deployment/digits", "--timeout=300s")
        return time.perf_counter() - started

    def _live(self, side: Namespace) -> DesiredState:
        image = side.kubectl("get", "deployment", "digits", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
        return next(desired for desired in self._releases if desired.image == image)


def _bad(good: DesiredState) -> DesiredState:
    manifests = {}
    for name, text in good.manifests.items():
        documents = list(filter(None, yaml.safe_load_all(text)))
        for document in documents:
            if document["kind"] == "Deployment":
                document["spec"]["template"]["spec"]["containers"][0]["command"] = ["python", "-c", "raise SystemExit('bad')"]
        manifests[name] = yaml.safe_dump_all(documents)
    return replace(good, release_id=f"{good.release_id}-bad", manifests=manifests, stage=Stage.WHOLE)


def _first_unready(side: Namespace) -> float:
    """The moment at which a container of a new pod has ended for the first time."""
    while True:
        pods = json.loads(side.kubectl("get", "pods", "-o", "json"))["items"]
        states = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
        if any("terminated" in {**status["state"], **status["lastState"]} for status in states if not status["ready"]):
            return time.perf_counter()
        time.sleep(0.1)


def show(found: Found) -> dict[str, Any]:
    """Print tables and verdicts; returns what they say as JSON values."""
    console = Console(width=110, highlight=False)
    lost = Table("change", "changes", "requests", "failed", box=box.SIMPLE_HEAD, title="1. Lost requests", title_justify="left")
    for name, row in found.lost.items():
        lost.add_row(name, str(row["changes"]), f"{row['requests']:,}", str(row["failed"]))
    console.print(lost)
    times = Table("", "Nocturne", "kubectl", "ratio", box=box.SIMPLE_HEAD, title="Medians in seconds", title_justify="left")
    summary: dict[str, Any] = {"lost": found.lost}
    for name, ours, theirs in (
        ("2. apply to ready", found.apply_nocturne, found.apply_kubectl),
        ("3. bad release to previous alone", found.back_nocturne, found.back_kubectl),
    ):
        if ours and theirs:
            ratio = median(ours) / median(theirs)
            times.add_row(name, f"{median(ours):.2f}", f"{median(theirs):.2f}", f"{ratio:.2f}")
            summary[name] = {"nocturne": median(ours), "kubectl": median(theirs), "ratio": ratio}
    console.print(times)
    failed, requests = (sum(row[key] for row in found.lost.values()) for key in ("failed", "requests"))
    ratio = summary.get("2. apply to ready", {}).get("ratio", 0.0)
    console.print(
        f"{os.cpu_count()} cores. Verdict: {failed} of {requests:,} requests failed (target 0 of 10,000 or more): "
        f"{'met' if not failed and requests >= 10_000 else 'MISSED'}; "
        f"apply to ready took {ratio:.2f} times kubectl's time (target 1.1): {'met' if ratio <= 1.1 else 'MISSED'}."
    )
    return summary


def measure(arguments: argparse.Namespace, home: Path, report: Report) -> Found:
    """Everything, in namespaces that are gone afterwards."""
    file = kubeconfig()
    with workplace(home, report) as place:
        report.working("releases", "training the demo model, building two releases")
        first, second = two_releases(place, NocturneSide(place, Meter(())))
        mark = f"nocturne-benchmark-{os.getpid()}"
        with namespace(f"{mark}-ours", file) as ours, namespace(f"{mark}-theirs", file) as theirs:
            benchmark = Benchmark(first, second, ours, theirs, report)
            benchmark.start()
            benchmark.apply_to_ready(arguments.rounds)
            benchmark.bad_release(arguments.rounds)
            benchmark.lost_requests(arguments.updates, arguments.rate)
    return benchmark.found


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="nocturne-benchmark-") as home:
            found = measure(arguments, Path(home), LineReport(sys.stderr))
    except NocturneError as error:
        print(f"The benchmark cannot run: {error}", file=sys.stderr)
        return 1
    summary = show(found)
    if arguments.json:
        arguments.json.write_text(json.dumps({"summary": summary, "measured": asdict(found)}, indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=positive, default=10, help="changes of each kind under load (default: 10)")
    parser.add_argument("--rounds", type=positive, default=5, help="rounds of each comparison that count (default: 5)")
    parser.add_argument("--rate", type=positive, default=200, help="requests per second (default: 200)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
