"""Fetching a model with Nocturne, beside the fastest that obstore does by itself, and beside Airflow's own hook.

    python benchmarks/fetch.py [--mib 500] [--rounds 5] [--json FILE]

All sides fetch the same blob of random bytes from one real Azurite on this machine, each time in a process of its own, one after
the other in every round; each round begins with another side, and the first round is not counted. The medians' ratios are judged
against what obstore does fastest without computing a sha256, which Nocturne does on the way. Targets: 0.9 times obstore's best, 2.5
times `WasbHook.get_file` with its defaults, less than 200 MB of memory. Missing a target is said, and no failure: times depend on
the machine.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from arguments import positive
from fetch_side import BLOB, CONNECTION, KEY_VARIABLE, SIDES, Place
from rich import box
from rich.console import Console
from rich.table import Table

from nocturne.adapters.object_store import StoreSettings, connect, ensure_container
from nocturne.domain.errors import Broken, NocturneError
from nocturne.sandbox.blob import Blob
from nocturne.sandbox.programs import Programs
from nocturne.sandbox.progress import LineReport, Report
from nocturne.sandbox.secret_file import load_or_make
from nocturne.sandbox.settings import Settings

OURS, HOOK, CHECKED = "nocturne", "WasbHook.get_file", "obstore, ranges, then sha256"
OBSTORE_TARGET, HOOK_TARGET, MEMORY_TARGET = 0.9, 2.5, 200_000_000
_CONTAINER = "models"
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    """One side, once. peak_bytes: the most memory that its process ever had."""

    side: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Benchmark:
    """A blob, and where its copies go. environment: of the processes that fetch."""

    place: Place
    home: Path
    environment: dict[str, str]

    def round(self, number: int) -> list[Fetched]:
        """Every side once, each round beginning with another one."""
        sides = list(SIDES)
        first = number % len(sides)
        return [self._fetch(side) for side in sides[first:] + sides[:first]]

    def _fetch(self, side: str) -> Fetched:
        folder = self.home / "fetched"
        folder.mkdir()
        os.sync()  # what was written before must not be waited for now
        program = Path(__file__).with_name("fetch_side.py")
        command = [sys.executable, str(program), side, json.dumps(asdict(self.place)), str(folder / "model.onnx")]
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        shutil.rmtree(folder)
        if ended.returncode != 0:
            raise Broken(f"{side} failed with exit code {ended.returncode}:\n{ended.stderr[-2000:]}")
        found = json.loads(ended.stdout.splitlines()[-1])
        if found["size"] != self.place.size:
            raise Broken(f"{side} fetched {found['size']:,} bytes, expected {self.place.size:,}")
        return Fetched(side, found["seconds"], found["peak_bytes"])


@contextmanager
def benchmark(home: Path, size: int, report: Report) -> Iterator[Benchmark]:
    """A real Azurite with one blob of random bytes. Raises Broken when it does not start."""
    settings = Settings.from_environment(
        {"NOCTURNE_HOME": str(home / "sandbox"), "NOCTURNE_NAME": "nocturne-benchmark", "NOCTURNE_BLOB_PORT": str(_free_port())}
    )
    blob = Blob(settings, Programs(settings.logs))
    try:
        blob.start(report)
        secrets = load_or_make(settings.home)
        place = _upload(blob.address(), secrets.blob_account, secrets.blob_key, size, report)
        yield Benchmark(place, home, _environment(place, secrets.blob_key, home))
    finally:
        blob.stop()


def _upload(url: str, account: str, key: str, size: int, report: Report) -> Place:
    report.working("blob", f"uploading {size:,} bytes")
    settings = StoreSettings("azure", container=_CONTAINER, account=account, account_key=key, endpoint=url)
    ensure_container(settings)
    store, sha256 = connect(settings), hashlib.sha256()

    def random() -> Iterator[bytes]:
        for start in range(0, size, _CHUNK):
            chunk = os.urandom(min(_CHUNK, size - start))
            sha256.update(chunk)
            yield chunk

    store.put(BLOB, random(), chunk_size=_CHUNK)
    return Place(url, account, _CONTAINER, str(store.head(BLOB)["e_tag"]), size, f"sha256:{sha256.hexdigest()}")


def _environment(place: Place, key: str, home: Path) -> dict[str, str]:
    connection = {"conn_type": "wasb", "login": place.account, "password": key, "host": place.url}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "AIRFLOW_HOME": str(home / "airflow"),
        f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection),
        KEY_VARIABLE: key,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def show(found: list[Fetched], about: dict[str, Any]) -> dict[str, Any]:
    """Print the table and the verdict; returns what they say as JSON values."""
    size = about["mib"] * 1024 * 1024
    rates = {side: size / 1e6 / median(item.seconds for item in found if item.side == side) for side in SIDES}
    peaks = {side: max(item.peak_bytes for item in found if item.side == side) for side in SIDES}
    best = max((side for side in SIDES if side not in (OURS, HOOK, CHECKED)), key=lambda side: rates[side])
    title = f"Medians of {about['rounds']} round{'s' * (about['rounds'] > 1)}, a blob of {about['mib']} MiB"
    table = Table("", "MB/s", "most memory, MB", "Nocturne to it", box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for side in SIDES:
        table.add_row(
            f"{side} (obstore's best)" if side == best else side,
            f"{rates[side]:.0f}",
            f"{peaks[side] / 1e6:.0f}",
            f"{rates[OURS] / rates[side]:.2f}",
            style="bold" if side in (OURS, best, HOOK) else "",
        )
    summary = {
        "mb_per_second": rates,
        "peak_bytes": peaks,
        "obstore_best": best,
        "ratio_to_obstore": rates[OURS] / rates[best],
        "ratio_to_obstore_with_sha256": rates[OURS] / rates[CHECKED],
        "ratio_to_hook": rates[OURS] / rates[HOOK],
    }
    console = Console(width=110, highlight=False)
    console.print(table)
    console.print(f"{about['cores']} cores. {_verdict(summary)}")
    return summary


def _verdict(summary: dict[str, Any]) -> str:
    def target(text: str, met: bool) -> str:
        return f"(target {text}): {'met' if met else 'MISSED'}"

    to_obstore, to_hook, peak = summary["ratio_to_obstore"], summary["ratio_to_hook"], summary["peak_bytes"][OURS]
    return (
        f"Verdict: {to_obstore:.2f} times obstore's best, which computes no sha256 "
        f"{target(f'{OBSTORE_TARGET}', to_obstore >= OBSTORE_TARGET)}; "
        f"{to_hook:.1f} times the hook {target(f'{HOOK_TARGET}', to_hook >= HOOK_TARGET)}; "
        f"{peak / 1e6:.0f} MB of memory {target(f'less than {MEMORY_TARGET / 1e6:.0f}', peak < MEMORY_TARGET)}."
    )


def measure(mib: int, rounds: int, home: Path, report: Report) -> list[Fetched]:
    """What was measured in the rounds that count."""
    found: list[Fetched] = []
    with benchmark(home, mib * 1024 * 1024, report) as sides:
        report.working("all sides", "warming up")
        sides.round(0)
        for number in range(1, rounds + 1):
            report.working("all sides", f"round {number} of {rounds}")
            found += sides.round(number)
    return found


def main() -> int:
    arguments = _arguments()
    # So that the server is stopped then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="nocturne-benchmark-") as home:
            found = measure(arguments.mib, arguments.rounds, Path(home), LineReport(sys.stderr))
    except NocturneError as error:
        print(f"The benchmark cannot run: {error}", file=sys.stderr)
        return 1
    about = {"cores": os.cpu_count(), "rounds": arguments.rounds, "mib": arguments.mib}
    summary = show(found, about)
    if arguments.json:
        content = {"about": about, "summary": summary, "measured": [asdict(item) for item in found]}
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=positive, default=500, help="size of the blob in MiB (default: 500)")
    parser.add_argument("--rounds", type=positive, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
