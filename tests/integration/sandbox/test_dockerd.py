"""Starting and stopping a Docker Engine, beside the machine's own: other folders, another socket, another network namespace.

The namespace is no luxury: dockerd sets up, and with `--bridge=none` even deletes, the `docker0` that another engine uses.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox.engine import Engine
from nocturne.sandbox.supervised import SupervisedProcess

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("unshare"), reason="needs root, dockerd, unshare"
    ),
    pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="where systemd runs, Docker is left to it"),
]


@pytest.fixture(autouse=True)
def untouched_interfaces() -> Iterator[None]:
    """The machine's own engine keeps its bridges, with the very same numbers."""
    before = bridges()
    yield
    assert bridges() == before


def bridges() -> dict[str, int]:
    return {name: number for number, name in socket.if_nameindex() if name in ("docker0", "docker_gwbridge")}


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Unix sockets have short names.
    return tmp_path_factory.mktemp("d")


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    found = engine_of(folder, folder / "home")
    yield found
    SupervisedProcess("dockerd", folder / "shared").stop(20, leader_only=True)


def engine_of(folder: Path, home: Path) -> Engine:
    arguments = ["--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "run" / "docker.pid"]
    (folder / "run").mkdir(exist_ok=True)
    command = [
        "unshare",
        "--net",
        "--",
        "dockerd",
        *map(str, arguments),
        "--bridge=none",
        "--iptables=false",
        "--storage-driver=vfs",
    ]
    return Engine(f"unix://{folder}/d.sock", home, folder / "shared", folder / "run", command)


def test_an_engine_is_started_where_none_runs_and_stopped_again(engine: Engine, folder: Path) -> None:
    """It answers after `ensure`, is ours, survives a second `ensure`, and is gone after `release`."""
    assert not engine.reachable()
    # Left by a machine that lost its power, and naming a process that has nothing to do with it.
    (folder / "run" / "docker.pid").write_text(str(os.getpid()))
    assert engine.ensure().endswith("started")
    assert engine.reachable()
    assert engine.ours
    assert engine.ensure().endswith("was running")
    assert engine.release()
    assert not engine.reachable()
    assert not engine.ours


def test_the_last_sandbox_turns_the_engine_off(engine: Engine, folder: Path) -> None:
    """While another sandbox uses it the engine stays; the last one that leaves stops it."""
    other = engine_of(folder, folder / "other")
    engine.ensure()
    other.ensure()
    assert not engine.release()
    assert other.reachable()
    assert other.release()
    assert not other.reachable()


def test_an_engine_elsewhere_is_never_started(folder: Path) -> None:
    """A DOCKER_HOST that does not answer is an error that names it."""
    engine = Engine("tcp://127.0.0.1:1", folder / "home", folder / "shared", folder / "run")
    with pytest.raises(Broken, match=r"tcp://127\.0\.0\.1:1") as caught:
        engine.ensure()
    assert "DOCKER_HOST" in caught.value.advice
