"""The cache of files, with processes that die and folders that vanish."""

import hashlib
import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nocturne.adapters.file_cache import LocalFileCache
from nocturne.adapters.file_cache.intact import machine_started_at
from nocturne.domain.errors import Broken, Rejected

CONTENT = b"weights" * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def write(path: Path) -> None:
    path.write_bytes(CONTENT)


def refuse(path: Path) -> None:
    raise AssertionError("nothing was to be written")


def everything(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def cache(tmp_path: Path) -> LocalFileCache:
    return LocalFileCache(tmp_path / "cache")


def test_a_file_is_written_once(cache: LocalFileCache) -> None:
    """What is in the cache is found and not written again."""
    assert cache.path(SHA256) is None
    first = cache.put(SHA256, write)
    assert cache.put(SHA256, refuse) == cache.path(SHA256) == first
    assert first.read_bytes() == CONTENT


def test_nothing_but_the_file_is_left(cache: LocalFileCache, tmp_path: Path) -> None:
    """Locks and temporary files are gone once the file is there."""
    found = cache.put(SHA256, write)
    assert everything(tmp_path / "cache") == [found.name]


def test_a_cut_file_is_written_again(cache: LocalFileCache) -> None:
    """A file of another size than it was written with does not count, and is replaced."""
    os.truncate(cache.put(SHA256, write), 10)
    assert cache.path(SHA256) is None
    assert cache.put(SHA256, write).read_bytes() == CONTENT


def test_a_file_that_was_written_to_is_written_again(cache: LocalFileCache, tmp_path: Path) -> None:
    """Whoever writes to a cached file by another name of it, even without changing its size, spoils it for nobody."""
    os.link(cache.put(SHA256, write), tmp_path / "model.onnx")
    with (tmp_path / "model.onnx").open("r+b") as file:
        file.write(b"x")
    assert cache.path(SHA256) is None
    assert cache.put(SHA256, write).read_bytes() == CONTENT


def test_a_file_from_before_a_power_failure_is_read_once(tmp_path: Path) -> None:
    """A file that was used last before the machine started counts if its bytes are right, and not if they are zeros."""
    root, now = tmp_path / "cache", time.time()
    found = LocalFileCache(root).put(SHA256, write)
    started_later = LocalFileCache(root, started_at=lambda: now + 60)
    assert started_later.path(SHA256) == found
    state = found.stat()
    found.write_bytes(bytes(len(CONTENT)))
    os.utime(found, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert started_later.path(SHA256) is None
    assert LocalFileCache(root, started_at=lambda: now - 60).path(SHA256) == found


def test_a_machine_started_before_now() -> None:
    """What is put into the cache now was not there before the machine started, so it is not read again."""
    assert machine_started_at() < time.time() - 1


def test_a_writer_that_writes_something_else_is_broken(cache: LocalFileCache) -> None:
    """Only bytes with the digest asked for come into the cache."""
    with pytest.raises(Broken, match=f"expected {SHA256}"):
        cache.put(SHA256, lambda path: path.write_bytes(b"else") and None)
    assert cache.path(SHA256) is None


def test_what_the_writer_raises_passes(cache: LocalFileCache, tmp_path: Path) -> None:
    """The writer's own error arrives as it is, and leaves nothing behind."""

    def reject(path: Path) -> None:
        path.write_bytes(b"half")
        raise Rejected("a corrupt blob")

    with pytest.raises(Rejected, match="a corrupt blob"):
        cache.put(SHA256, reject)
    assert everything(tmp_path / "cache") == []


def test_many_threads_write_once(cache: LocalFileCache) -> None:
    """Of many who ask for a file at once, one writes it and the others wait for it."""
    written = []

    def slowly(path: Path) -> None:
        written.append(path)
        time.sleep(0.1)
        write(path)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: cache.put(SHA256, slowly), range(8)))
    assert (len(found), len(written)) == (1, 1)


def _put_and_count(root: Path, folder: Path) -> None:
    def count(path: Path) -> None:
        (folder / str(os.getpid())).touch()
        time.sleep(0.2)
        write(path)

    LocalFileCache(root).put(SHA256, count)


def _put_and_hang(root: Path, started: Path) -> None:
    def hang(path: Path) -> None:
        path.write_bytes(b"half")
        started.touch()
        time.sleep(60)

    LocalFileCache(root).put(SHA256, hang)


def _start(target: Callable[..., None], *arguments: Path) -> multiprocessing.Process:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    return process  # type: ignore[return-value]


def test_several_processes_write_once(tmp_path: Path) -> None:
    """Of several processes that ask for a file at once, one writes it."""
    counts = tmp_path / "counts"
    counts.mkdir()
    processes = [_start(_put_and_count, tmp_path / "cache", counts) for _ in range(3)]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(counts.iterdir())) == 1


def test_a_killed_writer_holds_nobody_up(cache: LocalFileCache, tmp_path: Path) -> None:
    """After SIGKILL in the midst of writing, the next one takes the lock, removes the half file and writes a whole one."""
    process = _start(_put_and_hang, tmp_path / "cache", tmp_path / "started")
    while not (tmp_path / "started").exists():
        assert process.is_alive()
        time.sleep(0.02)
    process.kill()
    process.join(20)
    assert "content" in everything(tmp_path / "cache")
    found = cache.put(SHA256, write)
    assert everything(tmp_path / "cache") == [found.name]


def test_the_cache_may_vanish_while_it_is_written_to(cache: LocalFileCache, tmp_path: Path) -> None:
    """When somebody deletes the whole cache under a writer, the file is written again and is there in the end."""
    tries = []

    def write_while_it_vanishes(path: Path) -> None:
        tries.append(path)
        write(path)
        if len(tries) == 1:
            shutil.rmtree(tmp_path / "cache")

    assert cache.put(SHA256, write_while_it_vanishes).read_bytes() == CONTENT
    assert len(tries) == 2


def test_a_writer_that_fails_because_the_cache_vanished_is_called_again(cache: LocalFileCache, tmp_path: Path) -> None:
    """What a writer raises means nothing when the folder it wrote to was deleted under it."""
    tries = []

    def fail_once(path: Path) -> None:
        tries.append(path)
        if len(tries) == 1:
            shutil.rmtree(tmp_path / "cache")
            raise Broken("no such folder")
        write(path)

    assert cache.put(SHA256, fail_once).read_bytes() == CONTENT


def test_no_two_write_at_once_even_after_failures(cache: LocalFileCache) -> None:
    """Writers of one file that fail and are called again never overlap, whoever waited for whom."""
    inside, most = [], []

    def fail(path: Path) -> None:
        inside.append(path)
        most.append(len(inside))
        time.sleep(0.005)
        inside.remove(path)
        raise Rejected("corrupt")

    def put_often(_: int) -> None:
        for _ in range(10):
            with pytest.raises(Rejected):
                cache.put(SHA256, fail)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put_often, range(4)))
    assert (len(most), max(most)) == (40, 1)


def test_deleting_over_and_over_harms_nobody(cache: LocalFileCache, tmp_path: Path) -> None:
    """While one thread deletes the cache without end, every put ends with a file or with Broken, and none hangs."""
    stop = threading.Event()

    def delete() -> None:
        while not stop.wait(0.003):
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)

    def put(number: int) -> bool:
        content = str(number).encode()
        try:
            cache.put(f"sha256:{hashlib.sha256(content).hexdigest()}", lambda path: path.write_bytes(content) and None)
        except Broken:
            return False
        return True

    deleter = threading.Thread(target=delete)
    deleter.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(put, range(200)))
    finally:
        stop.set()
        deleter.join()
    assert any(outcomes)


def test_scratch_folders_are_new_and_abandoned_ones_go(cache: LocalFileCache) -> None:
    """Each scratch folder is another one; one that a dead process left a day ago is removed."""
    old, young = cache.scratch("model"), cache.scratch("model")
    day_ago = time.time() - 25 * 3600
    os.utime(old, (day_ago, day_ago))
    new = cache.scratch("model")
    assert (old.exists(), young.exists(), new.exists()) == (False, True, True)
    assert new.name.startswith("model-")
    assert list(new.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_broken(tmp_path: Path) -> None:
    """A root that is a file is told as a fault of this machine."""
    (tmp_path / "cache").touch()
    with pytest.raises(Broken, match="the cache cannot be written"):
        LocalFileCache(tmp_path / "cache").put(SHA256, write)
