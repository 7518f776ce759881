"""A model of 5 GiB comes through as little memory as a small one, from a folder and over HTTP."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from obstore.store import HTTPStore, LocalStore

from nocturne.adapters.file_cache import LocalFileCache
from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.download import Download
from nocturne.domain.model import ModelFile

_GIB = 1024**3
_FEW_MB = 200_000_000
# Of so many zero bytes: `head -c 5G /dev/zero | sha256sum`.
_SHA256 = {
    5 * _GIB: "sha256:7f06c62352aebd8125b2a1841e2b9e1ffcbed602f381c3dcb3200200e383d1d5",
    1 * _GIB: "sha256:49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14",
}
_E_TAG = '"zeros"'


class _Zeros(BaseHTTPRequestHandler):
    """A blob of `size` zeros at every path, in ranges."""

    protocol_version = "HTTP/1.1"
    size = 0

    def do_GET(self) -> None:
        assert self.headers["If-Match"] == _E_TAG
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
        assert found is not None
        first, last = int(found[1]), int(found[2])
        self.send_response(206)
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("Content-Range", f"bytes {first}-{last}/{self.size}")
        self.send_header("ETag", _E_TAG)
        self.send_header("Last-Modified", "Fri, 20 Nov 2026 02:00:00 GMT")
        self.end_headers()
        self.wfile.write(bytes(last + 1 - first))

    def log_message(self, *ignored: object) -> None:
        """Nobody reads it."""


@contextmanager
def zeros(size: int) -> Iterator[str]:
    """The address of a server with such a blob."""
    handler = type("Handler", (_Zeros,), {"size": size})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        running.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        running.join()


@pytest.fixture
def size(tmp_path: Path) -> int:
    """5 GiB, or 1 GiB where the disk of the tests has no room for more."""
    return (5 if shutil.disk_usage(tmp_path).free > 8 * _GIB else 1) * _GIB


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the cached copy goes, which is all there on the disk, and is removed with the test."""
    yield tmp_path / "cache"
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def fetch(store: str, size: int, cache: Path) -> dict[str, int]:
    """What fetching the model in a process of its own says: the size of what came, and the most memory it ever had, in bytes."""
    command = [sys.executable, "-m", "tests.integration.object_store.test_large_model", store, str(size), str(cache)]
    folder = Path(__file__).parents[3]
    ended = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": f"{folder / 'plugins'}:{folder}"}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, int] = json.loads(ended.stdout)
    return found


def test_from_a_folder(tmp_path: Path, place: Path, size: int) -> None:
    """5 GiB from a folder, written to the disk and checked, take less than 200 MB of memory."""
    (tmp_path / "store").mkdir()
    with (tmp_path / "store" / "model.onnx").open("wb") as sparse:
        sparse.truncate(size)
    found = fetch(str(tmp_path / "store"), size, place)
    assert found["size"] == size
    assert found["memory"] < _FEW_MB


def test_over_http(place: Path, size: int) -> None:
    """The same in ranges from a server."""
    with zeros(size) as url:
        found = fetch(url, size, place)
    assert found["size"] == size
    assert found["memory"] < _FEW_MB


def _main(place: str, size: int, cache: Path) -> None:
    over_http = place.startswith("http")
    store = HTTPStore.from_url(place, client_options={"allow_http": True}) if over_http else LocalStore(place)
    e_tag = _E_TAG if over_http else str(store.head("model.onnx")["e_tag"])
    download = Download(Blobs(store), "model.onnx", e_tag, ModelFile("model.onnx", size, _SHA256[size]))
    files = LocalFileCache(cache, limit=1)
    files.reserve({_SHA256[size]: size})
    found = files.put(_SHA256[size], lambda path: download.to(path, lambda moved: None), checked=True)
    # Not getrusage, whose maximum begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    memory = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024
    print(json.dumps({"size": found.stat().st_size, "memory": memory}))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
