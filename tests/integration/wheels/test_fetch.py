"""Wheels, fetched by pip for another machine than the one it runs on."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nocturne.adapters.wheels import PipWheelSource, fetch_wheels, platform_tags
from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.wheel_source import WheelTarget
from tests.integration.wheels.index import Index
from tests.integration.wheels.index import index as serve

PLATFORMS = platform_tags("linux/amd64", "2.36")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with serve(tmp_path / "index") as served:
        monkeypatch.setenv("PIP_INDEX_URL", served.url)
        yield served


@pytest.fixture
def lines() -> list[str]:
    return []


def locked(tmp_path: Path, *entries: str) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("".join(entries))
    return file


def fetched(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def fetch(requirements: Path, lines: list[str], destination: str = "wheels") -> Path:
    folder = requirements.parent / destination
    fetch_wheels(requirements, folder, "3.11", PLATFORMS, lines.append, cache=requirements.parent / "cache")
    return folder


def test_the_wheels_are_the_images_not_the_hosts(index: Index, tmp_path: Path, lines: list[str]):
    """Of several wheels the one for the image's Python and C library is taken, whatever runs the task."""
    index.add("native", "1.0", "cp312-cp312-manylinux_2_17_x86_64")
    index.add("native", "1.0", "cp311-cp311-manylinux_2_39_x86_64")
    native = index.add("native", "1.0", "cp311-cp311-manylinux_2_28_x86_64")
    stable = index.add("stable", "2.0", "cp38-abi3-manylinux2014_x86_64")
    pure = index.add("pure", "3.0", "py3-none-any")
    assert fetched(fetch(locked(tmp_path, native, stable, pure), lines)) == [
        "native-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "pure-3.0-py3-none-any.whl",
        "stable-2.0-cp38-abi3-manylinux2014_x86_64.whl",
    ]
    assert len([line for line in lines if line.startswith("Downloading")]) == 3


def test_a_target_is_turned_into_pips_platforms(index: Index, tmp_path: Path, lines: list[str]):
    """The port's source takes an older C library at its word: a newer wheel is not for it."""
    native = index.add("native", "1.0", "cp311-cp311-manylinux_2_28_x86_64")
    source, requirements = PipWheelSource(tmp_path / "cache"), locked(tmp_path, native)
    source.fetch(requirements, WheelTarget("3.11", "linux/amd64", "2.36"), tmp_path / "new", lines.append)
    assert len(fetched(tmp_path / "new")) == 1
    with pytest.raises(Rejected, match="No matching distribution"):
        source.fetch(requirements, WheelTarget("3.11", "linux/amd64", "2.27"), tmp_path / "old", lines.append)


def test_what_was_fetched_once_is_not_asked_for_again(index: Index, tmp_path: Path, lines: list[str]):
    """The cache answers for the same lock file, Python and platform, and for no other."""
    requirements = locked(tmp_path, index.add("pure", "1.0", "py3-none-any"))
    fetch(requirements, lines)
    index.asked.clear()
    assert fetched(fetch(requirements, lines, "again")) == ["pure-1.0-py3-none-any.whl"]
    assert index.asked == []
    fetch_wheels(requirements, tmp_path / "other", "3.12", PLATFORMS, lines.append, cache=tmp_path / "cache")
    assert index.asked != []


def test_wheels_are_put_over_those_of_a_killed_try(index: Index, tmp_path: Path, lines: list[str]):
    """Half a wheel in the destination is replaced."""
    requirements = locked(tmp_path, index.add("pure", "1.0", "py3-none-any"))
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/pure-1.0-py3-none-any.whl").write_bytes(b"half")
    assert (fetch(requirements, lines) / "pure-1.0-py3-none-any.whl").stat().st_size > 4


def test_a_wheel_with_other_bytes_than_the_lock_file_says_is_rejected(index: Index, tmp_path: Path, lines: list[str]):
    """A hash that does not match is the lock file's fault or an attack; neither gets into an image, nor into the cache."""
    index.add("pure", "1.0", "py3-none-any")
    requirements = locked(tmp_path, f"pure==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Rejected, match="DO NOT MATCH THE HASHES"):
        fetch(requirements, lines)
    assert fetched(tmp_path / "cache") == []


@pytest.mark.parametrize("tag", ["cp311-cp311-manylinux_2_39_x86_64", "cp311-cp311-win_amd64"])
def test_a_package_without_a_wheel_for_the_image_is_rejected(index: Index, tmp_path: Path, lines: list[str], tag: str):
    """Nothing is compiled, and nothing is taken that would not run."""
    with pytest.raises(Rejected, match="No matching distribution"):
        fetch(locked(tmp_path, index.add("native", "1.0", tag)), lines)


def test_a_package_that_does_not_exist_is_rejected(index: Index, tmp_path: Path, lines: list[str]):
    """An index that answers 404 was reached."""
    with pytest.raises(Rejected, match="No matching distribution"):
        fetch(locked(tmp_path, f"missing==1.0 --hash=sha256:{'0' * 64}\n"), lines)


def test_a_requirement_without_a_hash_is_rejected(index: Index, tmp_path: Path, lines: list[str]):
    """A lock file names every byte."""
    index.add("pure", "1.0", "py3-none-any")
    with pytest.raises(Rejected, match="Hashes are required"):
        fetch(locked(tmp_path, "pure==1.0\n"), lines)


@pytest.mark.parametrize("retries", ["0", "1"])
def test_an_index_out_of_reach_is_broken(
    index: Index, tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch, retries: str
):
    """pip then says that there is no such package; the release is not blamed for it."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:index-secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", retries)
    with pytest.raises(Broken, match="pip download ended"):
        fetch(locked(tmp_path, index.add("pure", "1.0", "py3-none-any")), lines)


def test_the_indexs_password_shows_nowhere(index: Index, tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch):
    """Neither the log nor an error has it, even when pip forgets to hide it."""
    careless = tmp_path / "python"
    careless.write_text('#!/bin/sh\necho "WARNING: cannot use $PIP_INDEX_URL"\nexit 1\n')
    careless.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(careless))
    with pytest.raises(Broken, match="cannot use http") as error:
        fetch(locked(tmp_path, index.add("pure", "1.0", "py3-none-any")), lines)
    assert len(lines) == 1
    assert "index-secret" not in str(error.value) + lines[0]


def test_pip_gets_none_of_the_tasks_secrets(index: Index, tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch):
    """pip sees where its index is and how to reach it, and nothing of Airflow's."""
    spy = tmp_path / "python"
    spy.write_text(f'#!/bin/sh\nenv > {tmp_path}/seen\nexec {sys.executable} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))
    monkeypatch.setenv("AIRFLOW_CONN_REGISTRY", "secret")
    monkeypatch.setenv("https_proxy", "")
    fetch(locked(tmp_path, index.add("pure", "1.0", "py3-none-any")), lines)
    seen = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert {"PIP_INDEX_URL", "https_proxy", "PATH"} <= seen
    assert not {name for name in seen if name.startswith("AIRFLOW")}


def test_two_at_the_same_time_get_whole_wheels(index: Index, tmp_path: Path, lines: list[str]):
    """Whoever is first fills the cache; the other one's wheels are dropped, not mixed in."""
    requirements = locked(tmp_path, index.add("pure", "1.0", "py3-none-any"))
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda name: fetch(requirements, lines, name), ("one", "two")))
    assert [fetched(folder) for folder in folders] == [["pure-1.0-py3-none-any.whl"]] * 2
    assert len(fetched(tmp_path / "cache")) == 1


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from nocturne.adapters.wheels import fetch_wheels
    folder = Path(sys.argv[1])

    def die(line):
        if line.startswith("Downloading b-"):
            os.kill(os.getpid(), signal.SIGKILL)

    fetch_wheels(folder / "requirements.txt", folder / "wheels", "3.11", ("manylinux2014_x86_64",), die, cache=folder / "cache")
"""


def test_a_kill_in_the_middle_leaves_no_half_entry(index: Index, tmp_path: Path, lines: list[str]):
    """The retry fetches all of it, and what the killed one left is swept away a day later."""
    wanted = [index.add(name, "1.0", "py3-none-any") for name in "abc"]
    requirements = locked(tmp_path, *wanted)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "plugins")}
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], env=environment, check=False)
    assert child.returncode == -9
    (left,) = (tmp_path / "cache").iterdir()
    time.sleep(1)  # the killed task's pip ends by itself
    os.utime(left, (0, 0))
    fetch_wheels(requirements, tmp_path / "wheels", "3.11", ("manylinux2014_x86_64",), lines.append, cache=tmp_path / "cache")
    assert len(fetched(tmp_path / "wheels")) == 3
    assert not left.exists()
