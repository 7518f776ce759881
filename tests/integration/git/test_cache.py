import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from nocturne.adapters.git import GitCodeSource
from nocturne.domain.errors import Broken
from tests.integration.git.repository import Repository


def _mirror(cache: Path) -> Path:
    return next(path for path in (cache / "git").iterdir() if path.is_dir())


def test_a_deleted_cache_is_made_anew(source: GitCodeSource, origin: Repository, cache: Path) -> None:
    """After the cache was deleted, a frozen commit is read as before."""
    commit = source.resolve("main").commit
    shutil.rmtree(cache)
    assert source.read(commit, "web.py") == b"print('hi')\n"


def _lose_objects(mirror: Path) -> None:
    shutil.rmtree(mirror / "objects")
    (mirror / "objects").mkdir()


def _lose_the_blobs(mirror: Path) -> None:
    command = ["git", f"--git-dir={mirror}", "cat-file", "--batch-all-objects", "--batch-check"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for object_id, kind, _ in map(str.split, listing.splitlines()):
        if kind == "blob":
            (mirror / "objects" / object_id[:2] / object_id[2:]).unlink()


def _lose_head(mirror: Path) -> None:
    (mirror / "HEAD").unlink()


def _leave_locks(mirror: Path) -> None:
    for name in ("HEAD.lock", "packed-refs.lock", "config.lock", "refs/heads/main.lock", "refs/nocturne/HEAD.lock"):
        (mirror / name).touch()


def _half_delete(mirror: Path) -> None:
    for path in sorted(mirror.rglob("*"))[::2]:
        if path.is_file():
            path.unlink()


DAMAGE = [_lose_objects, _lose_the_blobs, _lose_head, _leave_locks, _half_delete]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_made_anew(source: GitCodeSource, origin: Repository, cache: Path, tmp_path: Path, damage) -> None:
    """Whatever a killed process or a half-done clean-up left behind, branches resolve and files are there."""
    commit = source.resolve("main").commit
    damage(_mirror(cache))
    source.export(commit, tmp_path / "out")
    assert (tmp_path / "out/web.py").exists()
    damage(_mirror(cache))
    newer = origin.commit({"app/web.py": "print('newer')\n"})
    assert source.resolve("main").commit == newer
    assert source.read(newer, "web.py") == b"print('newer')\n"


def test_a_half_made_copy_is_never_used(source: GitCodeSource, origin: Repository, cache: Path) -> None:
    """What a process that was killed while it cloned has left behind is thrown away."""
    source.resolve("main")
    mirror = _mirror(cache)
    mirror.rename(mirror.with_suffix(".partial"))
    (mirror.with_suffix(".partial") / "packed-refs").write_text("rubbish")
    assert source.resolve("main").commit == origin.git("rev-parse", "main")
    assert [path.name for path in (cache / "git").iterdir() if path.is_dir()] == [mirror.name]


def test_many_processes_clone_once(origin: Repository, cache: Path, tmp_path: Path) -> None:
    """Six processes that start with an empty disk make one copy between them and all read the same."""
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(6), fork.Queue()
    workers = [fork.Process(target=_resolve, args=(str(origin.root), cache, barrier, results)) for _ in range(6)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    commit = origin.git("rev-parse", "main")
    assert [text for text, _ in found] == [commit] * 6
    assert len({inode for _, inode in found}) == 1


def _resolve(repository: str, cache: Path, barrier, results) -> None:
    barrier.wait()
    commit = GitCodeSource(repository, "app", cache).resolve("main").commit
    results.put((commit, _mirror(cache).stat().st_ino))


def test_a_process_killed_while_it_fetches_blocks_nobody(source: GitCodeSource, origin: Repository, cache: Path) -> None:
    """After SIGKILL in the middle of a fetch the next one works."""
    source.resolve("main")
    for round_ in range(5):
        newer = origin.commit({"app/web.py": f"print({round_})\n"})
        child = os.fork()
        if child == 0:
            source.resolve("main")
            os._exit(0)
        time.sleep(0.01 * (round_ + 1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert source.resolve("main").commit == newer


def test_a_cache_that_cannot_be_written_is_broken(origin: Repository, tmp_path: Path) -> None:
    """Where the cache's place is taken by a file, the message says so."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(Broken, match=r"the cache at .* cannot be used"):
        GitCodeSource(str(origin.root), "app", tmp_path / "cache").resolve("main")
