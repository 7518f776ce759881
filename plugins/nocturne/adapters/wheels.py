"""The wheels that a lock file names, fetched once and kept by what they were asked for, so that an image can be built offline."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from nocturne.domain.errors import Broken, NocturneError, Rejected
from nocturne.ports.wheel_source import Log, WheelSource, WheelTarget

_ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
# Before PEP 600 the C library's version stood in a table: https://peps.python.org/pep-0600/#legacy-manylinux-tags
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}

_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PASSED_ON_PREFIXES = ("PIP_", "SSL_", "REQUESTS_", "CURL_")

_TOLD = re.compile(r"\s*(Downloading|Using cached|WARNING|ERROR|Processing)\b")
_OUT_OF_REACH = re.compile(
    r"connection broken by|connection error|ConnectTimeout|ReadTimeout|Read timed out|Max retries exceeded|name resolution"
    r"|5\d\d Server Error|(401|403|429) Client Error|No space left on device|Connection (refused|reset)|IncompleteRead"
)
_REFUSED = re.compile(
    r"DO NOT MATCH THE HASHES|Hashes are required|must have their versions pinned|Invalid requirement"
    r"|versions have conflicting dependencies|is not a supported wheel"
)
# Also what pip says when it could not ask.
_MISSING = "No matching distribution found"
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_ABANDONED = 24 * 3600.0  # seconds; no download takes a day
_TAIL = 30


class PipWheelSource(WheelSource):
    """pip's index, as pip itself is configured on this machine. cache: a folder that may be deleted at any time."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def fetch(self, requirements: Path, target: WheelTarget, destination: Path, log: Log) -> None:
        """Put every wheel into `destination`, each checked against its hash."""
        platforms = platform_tags(target.platform, target.glibc)
        fetch_wheels(requirements, destination, target.python, platforms, log, cache=self._cache)


def platform_tags(platform: str, glibc: str) -> tuple[str, ...]:
    """The wheel platforms that an image can use, the best first.

    platform: `linux/amd64` or `linux/arm64`. glibc: the image's C library, like `2.36` (Debian 12). Raises Rejected for others.
    Source: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/#manylinux
    """
    if platform not in _ARCHITECTURES:
        raise Rejected(f"the platform is {platform!r}, expected one of {', '.join(_ARCHITECTURES)}")
    if not (match := re.fullmatch(r"2\.(\d+)", glibc)):
        raise Rejected(f"the version of glibc is {glibc!r}, expected one like 2.36")
    architecture, tags = _ARCHITECTURES[platform], []
    for minor in range(int(match[1]), _OLDEST_GLIBC[architecture] - 1, -1):
        tags.append(f"manylinux_2_{minor}_{architecture}")
        tags += [f"{_LEGACY[minor]}_{architecture}"] if minor in _LEGACY else []
    return tuple(tags)


def fetch_wheels(requirements: Path, destination: Path, python: str, platforms: Sequence[str], log: Log, *, cache: Path) -> None:
    """Put the wheels that a hash-locked requirements file names into `destination` (made if missing).

    python: the image's, like `3.11`; markers in the file are judged by the Python that runs this, so keep the two alike.
    platforms: from `platform_tags`. cache: a folder that may be deleted at any time.
    Raises Rejected when a hash does not match or there is no such wheel, Broken when the index is out of reach.
    """
    try:
        content = requirements.read_bytes()
        cache.mkdir(parents=True, exist_ok=True)
        entry = cache / _key(content, python, platforms)
        if entry.is_dir():
            log(f"wheels for {requirements.name} are in the cache")
        else:
            _fill(entry, content, python, platforms, log)
        _hand_out(entry, destination)
    except OSError as error:
        raise Broken(
            f"the wheels for {requirements} cannot be kept: {error}", advice="check the disk and the cache's folder"
        ) from error


def _key(requirements: bytes, python: str, platforms: Sequence[str]) -> str:
    asked = json.dumps([hashlib.sha256(requirements).hexdigest(), python, list(platforms)])
    return hashlib.sha256(asked.encode()).hexdigest()


def _fill(entry: Path, content: bytes, python: str, platforms: Sequence[str], log: Log) -> None:
    """Make a cache entry in one step: a run that is killed, or another one at the same time, never leaves half of it."""
    _sweep(entry.parent)
    with tempfile.TemporaryDirectory(prefix="filling-", dir=entry.parent, ignore_cleanup_errors=True) as folder:
        # A copy: what is downloaded must be what the key was made of.
        asked, wheels = Path(folder, "requirements.txt"), Path(folder, "wheels")
        asked.write_bytes(content)
        wheels.mkdir()
        _download(asked, wheels, python, platforms, log)
        try:
            wheels.rename(entry)
        except OSError:
            if not entry.is_dir():
                raise


def _download(requirements: Path, wheels: Path, python: str, platforms: Sequence[str], log: Log) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += ["--no-input", "--progress-bar", "off", "--disable-pip-version-check", "--no-color"]
    command += ["--implementation", "cp", "--python-version", python, "--dest", str(wheels), "--requirement", str(requirements)]
    # Only its whole log says that an index could not be reached; on the screen there is then just no such wheel.
    record = wheels.parent / "pip.log"
    command += ["--log", str(record)]
    command += [argument for tag in platforms for argument in ("--platform", tag)]
    tail: deque[str] = deque(maxlen=_TAIL)
    output, environment = subprocess.STDOUT, _environment(os.environ)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, env=environment, text=True, errors="replace") as pip:
        for line in pip.stdout or ():
            tail.append(_PASSWORD.sub("****", line.rstrip()))
            if _TOLD.match(line):
                log(tail[-1].partition(" (from ")[0].strip())
    if pip.returncode:
        raise _failure(pip.returncode, "\n".join(tail), record.read_text(errors="replace") if record.exists() else "")


def _failure(exit_code: int, told: str, record: str) -> NocturneError:
    if _REFUSED.search(told) or (_MISSING in told and not _OUT_OF_REACH.search(record)):
        return Rejected(
            f"the locked dependencies cannot be had as wheels:\n{told}",
            advice="lock them anew, for the image's Python and platform, and commit the result",
        )
    return Broken(f"pip download ended with exit code {exit_code}:\n{told}", advice="check that the package index can be reached")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What pip needs of our environment, and nothing else: Airflow's holds secrets."""
    return {key: value for key, value in ours.items() if key.upper() in _PASSED_ON or key.startswith(_PASSED_ON_PREFIXES)}


def _sweep(cache: Path) -> None:
    for folder in cache.glob("filling-*"):
        try:
            abandoned = time.time() - folder.stat().st_mtime > _ABANDONED
        except FileNotFoundError:
            continue  # whoever made it has just finished
        if abandoned:
            shutil.rmtree(folder, ignore_errors=True)


def _hand_out(entry: Path, destination: Path) -> None:
    destination.mkdir(parents=True, exist_ok=True)
    for wheel in sorted(entry.iterdir()):
        target = destination / wheel.name
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(wheel)
        except OSError:
            # Another disk, or a file system without links.
            shutil.copyfile(wheel, target)
