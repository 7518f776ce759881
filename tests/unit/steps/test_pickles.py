import io
import pickle
import pickletools
import zipfile
from pathlib import Path

import pytest

from nocturne.steps.pickles import is_pickle

CONTENT = {"weights": [1.5] * 20, "labels": ["cat", "dog"]}


class Harmful:
    """What a pickle can do when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("harm",)


def told(folder: Path, content: bytes, name: str = "weights.bin") -> bool:
    (folder / "file").write_bytes(content)
    return is_pickle(folder / "file", name)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_of_any_protocol(tmp_path: Path, protocol: int) -> None:
    """A marked pickle is known by its instructions, whatever it holds and whatever follows it."""
    assert told(tmp_path, pickle.dumps(CONTENT, protocol))
    assert told(tmp_path, pickle.dumps(CONTENT, protocol) + b"more")
    assert told(tmp_path, pickle.dumps(["x" * 1000] * 1000 + list(range(1_000_000)), protocol))


@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickles_that_do_harm(tmp_path: Path, protocol: int) -> None:
    """One without a mark is known by what it would run."""
    assert told(tmp_path, pickle.dumps(Harmful(), protocol), "labels.txt")


def test_what_torch_saves(tmp_path: Path) -> None:
    """An archive with a pickle in it counts as one; another archive does not."""
    for name, expected in (("archive/data.pkl", True), ("archive/data.txt", False)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("first", bytes(1_000_000))
            archive.writestr(name, b"content")
        assert told(tmp_path, stream.getvalue()) is expected


def test_arrays_of_objects(tmp_path: Path) -> None:
    """numpy writes an array of Python objects as a pickle, and one of numbers not."""
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '%s', 'fortran_order': False, 'shape': (3,), }"
    assert told(tmp_path, header % b"|O", "labels.npy")
    assert not told(tmp_path, header % b"<f4", "labels.npy")


@pytest.mark.parametrize("name", ["model.pkl", "model.PT", "model.pkl.gz", "weights.joblib"])
def test_names_of_pickles(tmp_path: Path, name: str) -> None:
    """A name that only pickles have is enough."""
    assert told(tmp_path, b"anything", name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cat\ndog\nbird\n",
        b"N.\n",
        b"0\n1\n2\n",
        b'{"schema": 1}',
        b"# Notes\n",
        b"\x80\x02" + bytes(1000),
        bytes(1000),
        b"I am.\n",
    ],
)
def test_what_is_no_pickle(tmp_path: Path, content: bytes) -> None:
    """Texts and numbers are none, even those that pickle could read."""
    assert not told(tmp_path, content)


def test_nothing_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Looking at a pickle does not load it."""
    assert told(tmp_path, pickletools.optimize(pickle.dumps(Harmful())))
    assert capsys.readouterr().out == ""
