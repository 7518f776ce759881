"""Load on a server by wrk, and what wrk says of it."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving_catalogue import SERVERS_FOLDER, Request

from nocturne.domain.errors import Broken

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Load:
    """What came of a load. failed: requests without an answer of 2xx. p50, p99: milliseconds."""

    connections: int
    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.failed) / self.seconds


class Wrk:
    """Posts one request over and over (https://github.com/wg/wrk). Raises Broken where there is no wrk."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("wrk")
        if found is None:
            raise Broken("found no program `wrk`, expected it on the PATH", advice="install it; on Debian: apt-get install wrk")
        self._program = found
        self._folder = folder

    def load(self, url: str, request: Request, connections: int, seconds: float) -> Load:
        """One run, from one thread: the cores are for the server."""
        body = self._folder / "body"
        body.write_bytes(request.body)
        headers = [word for header in request.headers.items() for word in header]
        options = ["--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
        script = ["--timeout", f"{_TIMEOUT_SECONDS}s", "--script", str(SERVERS_FOLDER / "post.lua")]
        command = [self._program, *options, *script, url, "--", str(body), *headers]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"wrk failed with exit code {done.returncode}: {(done.stderr or done.stdout)[-1000:]}")
        return parse(done.stdout.splitlines(), connections)


def limit(url: str, seconds: float) -> Load:
    """What servers/limit.py does in so many seconds; it has no connections."""
    asked = urllib.request.Request(url.replace("/predict", "/work"), str(seconds).encode())
    with urllib.request.urlopen(asked, timeout=seconds + _TIMEOUT_SECONDS) as answer:
        told = json.loads(answer.read())
    return Load(0, told["requests"], told["seconds"], told["p50"], told["p99"], 0)


def parse(lines: Sequence[str], connections: int) -> Load:
    """The load that servers/post.lua told in the last line of wrk's output."""
    told = json.loads(lines[-1])
    failed = told["refused"] + told["broken"]
    return Load(connections, told["requests"], told["microseconds"] / 1e6, told["p50"] / 1000, told["p99"] / 1000, failed)
