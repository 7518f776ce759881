import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nocturne.adapters.oci_registry.layer import measure
from nocturne.domain.digest import of_bytes
from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.image_registry import LayerFile

FILES = (LayerFile("/model/b/weights.bin", b"w" * 700), LayerFile("/model/a.json", b"{}"))


def test_the_same_files_make_the_same_bytes_on_every_machine_and_python():
    """The digest of a layer is part of a release's identity, so it is pinned here."""
    assert measure(FILES).digest == "sha256:44750d5fc3f2ebd7ff11ea6aa418b4e2823bdfccdc61c011db01c2692c006c52"


def test_order_does_not_matter():
    """The order in which the files are given changes nothing."""
    assert measure(FILES).digest == measure(FILES[::-1]).digest


def test_content_is_the_same_from_disk_and_from_memory(tmp_path: Path):
    """Whether a file comes from disk or from memory, and when it was written, changes nothing."""
    file = tmp_path / "weights"
    file.write_bytes(b"w" * 700)
    os.utime(file, (1, 1))
    assert measure([LayerFile("/model/b/weights.bin", file), FILES[1]]).digest == measure(FILES).digest


def test_digest_and_size_are_those_of_the_bytes():
    """What is announced to the registry is what is sent to it."""
    layer = measure(FILES)
    content = b"".join(layer.chunks())
    assert (layer.digest, layer.size) == (of_bytes(content), len(content))


def test_members_have_fixed_owners_modes_and_times():
    """Folders come before what is in them, as 0755; files are 0644; everything is root's and from 1970."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(measure(FILES).chunks()))) as tar:
        found = [(member.name, member.mode, member.uid, member.gid, member.mtime, member.isdir()) for member in tar]
    assert found == [
        ("model", 0o755, 0, 0, 0, True),
        ("model/a.json", 0o644, 0, 0, 0, False),
        ("model/b", 0o755, 0, 0, 0, True),
        ("model/b/weights.bin", 0o644, 0, 0, 0, False),
    ]


def test_a_folder_comes_before_its_content_whatever_sorts_between():
    """`a-b` sorts before `a/` by characters, but must not come between `a` and what is in it."""
    names = ["/a/x", "/a-b/x", "/a.b"]
    with tarfile.open(fileobj=io.BytesIO(b"".join(measure(LayerFile(name, b"") for name in names).chunks()))) as tar:
        assert tar.getnames() == ["a", "a/x", "a-b", "a-b/x", "a.b"]


def test_a_file_over_8_gib_keeps_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Sizes that ustar's eleven octal digits cannot tell are told by a PAX header."""
    file, size = tmp_path / "huge", (8 << 30) + 3
    with file.open("wb") as sparse:
        sparse.truncate(size)
    # Only the header is of interest: eight GiB of zeros need not be hashed.
    monkeypatch.setattr("nocturne.adapters.oci_registry.layer._content", lambda path, size: iter([b""]))
    header = b"".join(measure([LayerFile("/huge", file)]).chunks())
    assert tarfile.TarInfo.frombuf(header[:512], "utf-8", "strict").type == tarfile.XHDTYPE
    assert f"size={size}\n".encode() in header


@settings(max_examples=40)
@given(st.dictionaries(st.text("aé/-. x\n", min_size=1, max_size=180), st.binary(max_size=1100), max_size=5))
def test_every_layer_that_is_taken_unpacks_to_what_was_put_in(files: dict[str, bytes]):
    """Names with any characters and lengths, and files of any size, come out as they went in."""
    try:
        layer = measure(LayerFile(f"/{name}", content) for name, content in files.items())
    except Rejected:
        return
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer.chunks()))) as tar:
        found = {f"/{member.name}": tar.extractfile(member).read() for member in tar if member.isreg()}
    assert found == {f"/{name}": content for name, content in files.items()}


@pytest.mark.parametrize(
    "path", ["model/a", "/", "//model", "/a\0b", "/model/../etc/passwd", "/model//a", "/model/", "/model/.wh.a", "/.wh.b/a"]
)
def test_names_that_leave_the_image_or_delete_from_it_are_rejected(path: str):
    """A model's file names cannot reach outside, and cannot delete what the base image has."""
    with pytest.raises(Rejected, match="cannot have a file at"):
        measure([LayerFile(path, b"")])


@pytest.mark.parametrize("paths", [("/a", "/a"), ("/a", "/a/b")])
def test_a_name_for_two_things_is_rejected(paths: tuple[str, str]):
    """A path is one file, or one folder."""
    with pytest.raises(Rejected, match=r"twice|both as a file and as a folder"):
        measure(LayerFile(path, b"") for path in paths)


@pytest.mark.parametrize("content", [b"longer than before", b"shorter", b"another w"])
def test_a_file_that_changes_after_it_was_hashed_is_an_error(tmp_path: Path, content: bytes):
    """A layer is never a mix of what was hashed and what came later."""
    file = tmp_path / "weights"
    file.write_bytes(b"weights 1")
    layer = measure([LayerFile("/weights", file)])
    file.write_bytes(content)
    os.utime(file, (5, 5))
    with pytest.raises(Broken, match="weights changed while it was put into an image"):
        list(layer.chunks())


def test_a_missing_file_is_an_error_of_the_machinery(tmp_path: Path):
    """The cache may be deleted at any time: a retry fetches again."""
    with pytest.raises(Broken, match="gone cannot be read"):
        measure([LayerFile("/weights", tmp_path / "gone")])
