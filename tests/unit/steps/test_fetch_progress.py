"""What the log says while a model comes."""

from collections.abc import Callable

from nocturne.domain.model import ModelFile
from nocturne.steps.fetch_progress import FetchProgress

MB = 1_000_000
FILE = ModelFile("model.onnx", 500 * MB, "sha256:" + "0" * 64)


class Watch:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def coming(watch: Watch, moved: int, times: int) -> Callable[[Callable[[int], None]], None]:
    """A fetch that brings `moved` bytes each second, so many times."""

    def fetch(progress: Callable[[int], None]) -> None:
        for _ in range(times):
            watch.seconds += 1
            progress(moved)

    return fetch


def test_a_line_every_five_seconds() -> None:
    """Size, share and the rate since the last line, at most every 5 s; at the end the average."""
    lines: list[str] = []
    watch = Watch()
    progress = FetchProgress(lines.append, watch)
    progress.fetch(FILE, coming(watch, 40 * MB, 12))
    assert lines == [
        "model.onnx: 200 of 500 MB (40%), 40 MB/s",
        "model.onnx: 400 of 500 MB (80%), 40 MB/s",
        "model.onnx: 500 MB in 12.0 s, 42 MB/s",
    ]
    assert progress.moved == 480 * MB


def test_many_small_files_share_the_five_seconds() -> None:
    """A model of many small files does not say more, but for the end of each."""
    lines: list[str] = []
    watch = Watch()
    progress = FetchProgress(lines.append, watch)
    small = ModelFile("part", 4 * MB, FILE.sha256)
    for _ in range(4):
        progress.fetch(small, coming(watch, 2 * MB, 2))
    assert lines[:2] == ["part: 4.0 MB in 2.0 s, 2 MB/s"] * 2
    assert lines[2:4] == ["part: 2.0 of 4.0 MB (50%), 2 MB/s", "part: 4.0 MB in 2.0 s, 2 MB/s"]
    assert len(lines) == 5


def test_a_fetch_in_no_time_has_a_rate() -> None:
    """A clock that did not move divides by nothing."""
    lines: list[str] = []
    FetchProgress(lines.append, Watch()).fetch(ModelFile("empty", 0, FILE.sha256), lambda progress: None)
    assert lines == ["empty: 0.0 MB in 0.0 s, 0 MB/s"]
