"""One side of benchmarks/fetch.py, once, in this process: fetches a blob to a file and prints what that took, as JSON.

    python benchmarks/fetch_side.py SIDE PLACE DESTINATION        PLACE: JSON of a `Place`; secrets come in the environment

Timed is what comes between a program that has everything imported and the whole file: opening the store, the bytes, the file.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from obstore.store import ObjectStore

from nocturne.adapters.file_cache import LocalFileCache
from nocturne.adapters.object_store import ObjectModelStore, StoreSettings, connect
from nocturne.domain.model import FrozenModel, ModelFile

KEY_VARIABLE = "NOCTURNE_BENCHMARK_KEY"
CONNECTION = "benchmark"
NAME, VERSION, FILE = "benchmark", "v1", "model.onnx"
BLOB = f"{NAME}/{VERSION}/{FILE}"
_MIB = 1024 * 1024

Fetch = Callable[[], object]


@dataclass(frozen=True)
class Place:
    """Where the blob is, and what is in it. url: of the account. size: bytes."""

    url: str
    account: str
    container: str
    e_tag: str
    size: int
    sha256: str


def nocturne(place: Place, destination: Path) -> Fetch:
    """As the night does it: pinned, checked against its sha256 on the way, into a cache; `destination` is another name of it."""
    file = ModelFile(FILE, place.size, place.sha256)
    model = FrozenModel(NAME, VERSION, place.sha256, "", (file,), {FILE: place.e_tag})

    def fetch() -> None:
        store = ObjectModelStore(connect(_settings(place)), NAME)
        cache = LocalFileCache(destination.parent / "cache")
        cache.reserve({file.sha256: file.size})
        found = cache.put(file.sha256, lambda path: store.fetch(model, FILE, path, lambda moved: None), checked=True)
        os.link(found, destination)

    return fetch


def obstore_stream(place: Place, destination: Path) -> Fetch:
    """One request, written as it comes."""

    def fetch() -> None:
        with destination.open("wb") as file:
            for chunk in _connected(place).get(BLOB).stream(min_chunk_size=10 * _MIB):
                file.write(chunk)

    return fetch


def obstore_ranges(place: Place, destination: Path, *, mib: int) -> Fetch:
    """Eight ranges at a time, each written to its place."""

    def fetch() -> None:
        store, part = _connected(place), mib * _MIB
        with destination.open("wb") as file, ThreadPoolExecutor(8) as pool:
            os.truncate(file.fileno(), place.size)

            def one(start: int) -> None:
                os.pwrite(file.fileno(), store.get_range(BLOB, start=start, end=min(start + part, place.size)), start)

            list(pool.map(one, range(0, place.size, part)))

    return fetch


def obstore_memory(place: Place, destination: Path) -> Fetch:
    """All ranges in one call, which the client gets in parallel and keeps in memory; then written."""

    def fetch() -> None:
        starts = range(0, place.size, 16 * _MIB)
        ends = [min(start + 16 * _MIB, place.size) for start in starts]
        parts = _connected(place).get_ranges(BLOB, starts=list(starts), ends=ends)
        with destination.open("wb") as file:
            for part in parts:
                file.write(part)

    return fetch


def obstore_checked(place: Place, destination: Path) -> Fetch:
    """Eight ranges at a time and the sha256 of the file afterwards: the result that Nocturne has, done in turn."""

    def fetch() -> None:
        obstore_ranges(place, destination, mib=8)()
        with destination.open("rb") as file:
            if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != place.sha256:
                raise RuntimeError("the blob is corrupt")

    return fetch


def hook(place: Place, destination: Path) -> Fetch:
    """Airflow's own hook with its defaults."""
    from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

    return lambda: WasbHook(wasb_conn_id=CONNECTION).get_file(str(destination), place.container, BLOB)


SIDES: dict[str, Callable[[Place, Path], Fetch]] = {
    "nocturne": nocturne,
    "obstore, one stream": obstore_stream,
    "obstore, ranges of 8 MiB": lambda place, destination: obstore_ranges(place, destination, mib=8),
    "obstore, ranges of 16 MiB": lambda place, destination: obstore_ranges(place, destination, mib=16),
    "obstore, all in memory": obstore_memory,
    "obstore, ranges, then sha256": obstore_checked,
    "WasbHook.get_file": hook,
}


def _settings(place: Place) -> StoreSettings:
    key = os.environ[KEY_VARIABLE]
    return StoreSettings("azure", container=place.container, account=place.account, account_key=key, endpoint=place.url)


def _connected(place: Place) -> ObjectStore:
    return connect(_settings(place))


def _peak_bytes() -> int:
    # Not getrusage, whose maximum begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024


def main() -> None:
    place, destination = Place(**json.loads(sys.argv[2])), Path(sys.argv[3])
    fetch = SIDES[sys.argv[1]](place, destination)
    started = time.perf_counter()
    fetch()
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_bytes": _peak_bytes(), "size": destination.stat().st_size}))


if __name__ == "__main__":
    main()
