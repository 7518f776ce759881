"""Room in the cache: its limit, its disk, and processes that use what others would evict."""

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from nocturne.adapters.file_cache import LocalFileCache
from nocturne.adapters.file_cache.room import SPARE_BYTES
from nocturne.domain.errors import Broken
from tests.other_process import process, wait_until

SIZE = 1000


def content(name: str) -> bytes:
    return name.encode() * (SIZE // len(name))


def sha256(name: str) -> str:
    return f"sha256:{hashlib.sha256(content(name)).hexdigest()}"


def put(cache: LocalFileCache, name: str) -> Path:
    return cache.put(sha256(name), lambda path: path.write_bytes(content(name)) and None)


def fill(root: Path, names: str) -> None:
    """Files that nobody holds, asked for in this order."""
    for name in names:
        put(LocalFileCache(root), name)


def kept(root: Path, names: str) -> str:
    """Which of the files are there; looking is no use of them."""
    there = {path.name.partition("-")[0] for path in root.glob("sha256/*/*-*")}
    return "".join(name for name in names if sha256(name).removeprefix("sha256:") in there)


def _use(root: Path, name: str, using: Path) -> None:
    cache = LocalFileCache(root)
    found = cache.path(sha256(name))
    using.write_text(str(found))
    time.sleep(60)


def _write_half(root: Path, name: str, started: Path) -> None:
    def half(path: Path) -> None:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 8192)
        started.touch()
        time.sleep(60)

    LocalFileCache(root).put(sha256(name), half)


def _put_all(root: Path, limit: int, names: str) -> None:
    for name in names:
        cache = LocalFileCache(root, limit)
        cache.reserve({sha256(name): SIZE})
        assert put(cache, name).read_bytes() == content(name)
        assert cache.path(sha256(name)) is not None


def test_without_a_limit_nothing_is_evicted(tmp_path: Path) -> None:
    """A limit of 0 is none."""
    fill(tmp_path, "abcdefgh")
    assert kept(tmp_path, "abcdefgh") == "abcdefgh"


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    """Over the limit, what was asked for last stays, whenever it was written."""
    fill(tmp_path, "abc")
    LocalFileCache(tmp_path).path(sha256("a"))
    put(LocalFileCache(tmp_path, 3 * SIZE), "d")
    assert kept(tmp_path, "abcd") == "acd"


def test_room_is_made_before_the_file_comes(tmp_path: Path) -> None:
    """Reserving evicts as much as the missing files need, and no more; what is there already counts as used."""
    fill(tmp_path, "abcd")
    LocalFileCache(tmp_path, 5 * SIZE).reserve({sha256("a"): SIZE, sha256("x"): SIZE, sha256("y"): SIZE})
    assert kept(tmp_path, "abcd") == "acd"


def test_what_was_just_asked_for_stays(tmp_path: Path) -> None:
    """A limit smaller than one model does not remove that model; the next one takes its place."""
    cache = LocalFileCache(tmp_path, SIZE // 2)
    found = put(cache, "a")
    put(cache, "b")
    assert (found.read_bytes(), kept(tmp_path, "ab")) == (content("a"), "ab")
    del cache
    put(LocalFileCache(tmp_path, SIZE // 2), "c")
    assert kept(tmp_path, "abc") == "c"


def test_a_use_leaves_the_time_of_change_alone(tmp_path: Path) -> None:
    """Being asked for moves the access time only: a file whose time of change moved could not be put into an image."""
    found = put(LocalFileCache(tmp_path), "a")
    changed_at = found.stat().st_mtime_ns
    os.utime(found, ns=(1, changed_at))
    LocalFileCache(tmp_path).path(sha256("a"))
    assert found.stat().st_mtime_ns == changed_at
    assert found.stat().st_atime_ns > 1


def test_a_file_that_another_process_uses_stays(tmp_path: Path) -> None:
    """What a living process asked for is not evicted by another one; once it is killed, it is."""
    root, using = tmp_path / "cache", tmp_path / "using"
    fill(root, "a")
    with process(_use, root, "a", using) as user:
        wait_until(using.exists, user)
        fill(root, "bc")
        LocalFileCache(root, SIZE).reserve({sha256("d"): SIZE})
        assert kept(root, "abc") == "a"
    LocalFileCache(root, SIZE).reserve({sha256("d"): SIZE})
    assert kept(root, "abc") == ""


def test_processes_evict_at_the_same_time(tmp_path: Path) -> None:
    """Several processes that fill one cache over its limit at once find all that they ask for, and end below the limit."""
    everyone = ["abcdefgh", "efghijkl", "ijklabcd"]
    running = [multiprocessing.get_context("spawn").Process(target=_put_all, args=(tmp_path, 3 * SIZE, name)) for name in everyone]
    for one in running:
        one.start()
    for one in running:
        one.join(60)
    assert [one.exitcode for one in running] == [0, 0, 0]
    LocalFileCache(tmp_path, 3 * SIZE).reserve({})
    assert len(kept(tmp_path, "abcdefghijkl")) <= 3


def disk(root: Path, capacity: int) -> Callable[[Path], int]:
    """The free bytes of a disk that holds nothing but cached files, and what must stay free."""
    return lambda folder: SPARE_BYTES + capacity - sum(path.stat().st_size for path in root.glob("sha256/*/*-*"))


def test_a_full_disk_evicts_first(tmp_path: Path) -> None:
    """Where the disk is full, the cache makes room below its limit, too."""
    fill(tmp_path, "abcd")
    LocalFileCache(tmp_path, free=disk(tmp_path, 4 * SIZE)).reserve({sha256("x"): 2 * SIZE})
    assert kept(tmp_path, "abcd") == "cd"


def test_a_disk_that_is_too_small_is_told_and_nothing_evicted(tmp_path: Path) -> None:
    """When evicting everything would not do, everything stays, and the error has the numbers, the place and the way out."""
    fill(tmp_path, "abc")
    with pytest.raises(Broken) as raised:
        LocalFileCache(tmp_path, free=disk(tmp_path, 4 * SIZE)).reserve({sha256("x"): 5 * SIZE})
    assert kept(tmp_path, "abc") == "abc"
    assert f"the disk of the cache {tmp_path} is too full: found 100,001,000 bytes free and 3,000 that could be evicted, " in str(
        raised.value
    )
    assert "expected 100,005,000: 5,000 are to be fetched" in raised.value.message
    assert "free 1,000 bytes there, or let NOCTURNE_CACHE name" in raised.value.advice


def test_what_is_in_use_is_not_counted_on(tmp_path: Path) -> None:
    """Files that a process holds make no room: the disk is too full then."""
    fill(tmp_path, "ab")
    holder = LocalFileCache(tmp_path)
    holder.path(sha256("a"))
    with pytest.raises(Broken, match=r"found 100,000,000 bytes free and 1,000 that could be evicted"):
        LocalFileCache(tmp_path, free=disk(tmp_path, 2 * SIZE)).reserve({sha256("x"): 2 * SIZE})
    assert kept(tmp_path, "ab") == "ab"


def test_the_real_disk_is_asked(tmp_path: Path) -> None:
    """More than any disk holds is too much for this one."""
    with pytest.raises(Broken, match="is too full"):
        LocalFileCache(tmp_path).reserve({sha256("x"): 10**18})


def test_a_file_without_room_to_make_is_there_already(tmp_path: Path) -> None:
    """Asking for room for files that are in the cache asks nothing of the disk."""
    fill(tmp_path, "a")
    LocalFileCache(tmp_path, free=lambda folder: 0).reserve({sha256("a"): SIZE})
    assert kept(tmp_path, "a") == "a"


def test_what_another_process_is_writing_has_its_room(tmp_path: Path) -> None:
    """The bytes that the writer of the same file has taken need not be free once more."""
    root, started = tmp_path / "cache", tmp_path / "started"
    with process(_write_half, root, "a", started) as writer:
        wait_until(started.exists, writer)
        LocalFileCache(root, free=lambda folder: SPARE_BYTES + 1000).reserve({sha256("a"): 9192})
        with pytest.raises(Broken, match="is too full"):
            LocalFileCache(root, free=lambda folder: SPARE_BYTES + 999).reserve({sha256("a"): 9192})


def test_what_a_killed_writer_left_goes_with_the_next_file(tmp_path: Path) -> None:
    """The bytes of a killed writer are removed when anything else is fetched; those of a living one stay."""
    root, started = tmp_path / "cache", tmp_path / "started"
    with process(_write_half, root, "a", started) as writer:
        wait_until(started.exists, writer)
        fill(root, "b")
        assert len(list(root.glob("sha256/*/*.writing"))) == 1
    fill(root, "c")
    assert list(root.glob("sha256/*/*.writing")) == list(root.glob("sha256/*/*.lock")) == []


def test_a_cache_that_is_let_go_holds_nothing(tmp_path: Path) -> None:
    """No descriptor is left open by a cache that nobody refers to any more."""
    for _ in range(20):
        fill(tmp_path, "abc")
    assert opened_below(tmp_path) == []
    # Whoever holds a file is seen.
    holder = LocalFileCache(tmp_path)
    held = holder.path(sha256("a"))
    assert opened_below(tmp_path) == [str(held)]


def opened_below(folder: Path) -> list[str]:
    """What this process has open in a folder; others' descriptors, such as a collected client's, come and go."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [path for path in found if path.startswith(f"{folder}/")]
