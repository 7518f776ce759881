import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocturne.domain import digest
from nocturne.domain.errors import Rejected
from nocturne.domain.model import FrozenModel, ModelFile, ModelManifest, check_version, safe_path
from nocturne.domain.model_manifest import parse_manifest

FILES = (
    ModelFile("labels/names.txt", 5, digest.of_bytes(b"names")),
    ModelFile("model.onnx", 1_000, digest.of_bytes(b"weights")),
)
MANIFEST = ModelManifest("digits", "2026-11-19", "2026-11-19T06:00:00Z", FILES, {"labels": ["0", "1"], "ü": 1.5})


def _raw(**changes: Any) -> dict[str, Any]:
    return json.loads(MANIFEST.to_json()) | changes


def _parse(raw: Any) -> ModelManifest:
    return parse_manifest(json.dumps(raw).encode(), "digits/manifest.json")


def _file(**changes: Any) -> dict[str, Any]:
    return {"path": "model.onnx", "size": 1_000, "sha256": FILES[1].sha256} | changes


def test_a_manifest_comes_back_as_it_was_written() -> None:
    """Parsing what `to_json` wrote gives the same manifest, with its files, card and digest."""
    parsed = parse_manifest(MANIFEST.to_json(), "manifest.json")
    assert parsed == MANIFEST
    assert (parsed.digest, parsed.size) == (MANIFEST.digest, 1_005)


def test_the_identity_is_that_of_the_files_alone() -> None:
    """Name, version, date, card, sizes and the order of files do not change the digest; a path or a content does."""
    same = ModelManifest("other", "v2", "2027-01-01T00:00:00Z", FILES[::-1], {})
    assert same.digest == MANIFEST.digest
    for changed in (replace(FILES[0], path="labels/other.txt"), replace(FILES[0], sha256=FILES[1].sha256)):
        assert replace(MANIFEST, files=(changed, FILES[1])).digest != MANIFEST.digest


def test_the_identity_never_changes() -> None:
    """A known model keeps its digest over versions of Nocturne."""
    expected = "sha256:e4822e4727c732250e0e70fcc01208f38adf5b583e2215fbb79c8cde6432a300"
    assert MANIFEST.digest == expected


def test_a_frozen_model_knows_its_size() -> None:
    """The size is that of all files together."""
    frozen = FrozenModel("digits", "1", MANIFEST.digest, "", FILES, {})
    assert frozen.size == 1_005


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"model"])
def test_what_is_not_json_is_rejected(content: bytes) -> None:
    """Rubbish is rejected with the name of the blob."""
    with pytest.raises(Rejected, match=r"^digits/manifest\.json is not JSON"):
        parse_manifest(content, "digits/manifest.json")


@pytest.mark.parametrize(("raw", "kind"), [([], "list"), ("text", "str"), (None, "NoneType"), (1, "int")])
def test_what_is_no_object_is_rejected(raw: Any, kind: str) -> None:
    """JSON of another kind is rejected, and the message says which."""
    with pytest.raises(Rejected, match=f"expected an object, found {kind}"):
        _parse(raw)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"schema": 2}, "schema is 2, expected 1"),
    ({"schema": None}, "schema is None, expected 1"),
    ({"name": None}, "name is missing or no text"),
    ({"version": 3}, "version is missing or no text"),
    ({"created_at": []}, "created_at is missing or no text"),
    ({"card": None}, "card is no object"),
    ({"card": []}, "card is no object"),
    ({"files": []}, "files is missing or empty"),
    ({"files": None}, "files is missing or empty"),
    ({"files": {"model.onnx": 1}}, "files is missing or empty"),
    ({"files": ["model.onnx"]}, "a file entry without a path: 'model.onnx'"),
    ({"files": [{"size": 1}]}, "a file entry without a path"),
    ({"files": [_file(path=7)]}, "a file entry without a path"),
    ({"files": [_file(path="../model.onnx")]}, "the path '../model.onnx' leaves the model's folder"),
    ({"files": [_file(path="")]}, "the path '' leaves the model's folder"),
    ({"files": [_file(size=-1)]}, "model.onnx: size is -1, expected a number of bytes"),
    ({"files": [_file(size="1000")]}, "model.onnx: size is '1000', expected a number of bytes"),
    ({"files": [_file(size=1.5)]}, "model.onnx: size is 1.5, expected a number of bytes"),
    ({"files": [_file(size=None)]}, "model.onnx: size is None, expected a number of bytes"),
    ({"files": [_file(sha256="abc")]}, "model.onnx: not a digest: 'abc'"),
    ({"files": [_file(sha256=None)]}, "model.onnx: not a digest: 'None'"),
]


@pytest.mark.parametrize(("changes", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_each_fault_is_rejected_by_name(changes: dict[str, Any], fault: str) -> None:
    """A manifest with one fault is rejected, and the message names it."""
    with pytest.raises(Rejected) as caught:
        _parse(_raw(**changes))
    assert fault in caught.value.message


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"files": [_file(), _file()]}, id="one path twice"),
        pytest.param({"files": [_file(path="a"), _file(path="a/b")]}, id="a file that is a folder too"),
        pytest.param({"files": [_file(path="manifest.json")]}, id="a file in the manifest's place"),
        pytest.param({"files": [_file(path="model.sig")]}, id="a file in the signature's place"),
        pytest.param({"files": [_file(path="a\0b")]}, id="a path that no file can have"),
        pytest.param({"files": [_file(path="\ud800")]}, id="a path that is no text"),
        pytest.param({"files": [_file(size=True)]}, id="a size that is no number"),
        pytest.param({"version": "../v1"}, id="a version that leaves its folder"),
        pytest.param({"created_at": "yesterday"}, id="a date that is none"),
    ],
)
def test_what_cannot_be_stored_or_released_is_rejected(changes: dict[str, Any]) -> None:
    """A manifest whose own digest is right is rejected all the same where no folder, label or image could hold it."""
    raw = _raw(**changes)
    files = [[file["path"], file["sha256"]] for file in raw["files"]]
    raw["digest"] = digest.of_bytes(json.dumps(sorted(files), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))
    with pytest.raises(Rejected):
        _parse(raw)


def test_json_nested_too_deeply_is_rejected() -> None:
    """What the parser gives up on is rejected as well."""
    with pytest.raises(Rejected):
        parse_manifest(b"[" * 100_000, "manifest.json")


def test_a_missing_key_is_rejected_by_name() -> None:
    """Each required key that is not there is named."""
    for key in ("schema", "name", "version", "created_at", "files"):
        raw = _raw()
        del raw[key]
        with pytest.raises(Rejected, match=key):
            _parse(raw)


def test_all_faults_are_told_at_once() -> None:
    """Nothing is hidden behind the first fault."""
    with pytest.raises(Rejected) as caught:
        _parse({"files": [_file(size=-1, sha256="x"), _file(path="/etc/passwd")]})
    faults = ("schema", "name", "version", "created_at", "size is -1", "not a digest: 'x'", "'/etc/passwd'")
    assert [fault for fault in faults if fault not in caught.value.message] == []


@pytest.mark.parametrize("said", [None, "sha256:1", digest.of_bytes(b"other")])
def test_a_manifest_that_was_edited_is_rejected(said: str | None) -> None:
    """Where the digest in it is not that of its files, the message has both."""
    with pytest.raises(Rejected, match=f"says digest {said}, but its list of files gives {MANIFEST.digest}"):
        _parse(_raw(digest=said))


def test_whoever_publishes_by_hand_may_leave_out_digest_and_card() -> None:
    """Without `digest` the list of files gives it; without `card` it is empty, and stands in the model's own file."""
    raw = _raw()
    del raw["digest"], raw["card"]
    assert _parse(raw) == replace(MANIFEST, card={})
    assert _parse(raw).digest == MANIFEST.digest


@pytest.mark.parametrize("version", ["1", "2026-11-19", "v1.2.3+build_7", "A" * 100])
def test_a_version_can_be_a_name_everywhere(version: str) -> None:
    """Letters, digits and . _ + - make a version."""
    assert check_version(version) == version


@pytest.mark.parametrize("version", ["", ".", "..", "-v", "a/b", "a b", "ü", "A" * 101, "v1\n", "latest?"])
def test_a_version_that_cannot_be_a_folder_is_refused(version: str) -> None:
    """What could leave its folder or not be a label is an error that shows it."""
    with pytest.raises(ValueError, match="cannot name a model version"):
        check_version(version)


@pytest.mark.parametrize("path", ["model.onnx", "a/b/c.bin", "...", "ü.txt", "a b"])
def test_paths_inside_the_folder_are_safe(path: str) -> None:
    """Plain relative paths are safe."""
    assert safe_path(path)


UNSAFE = ["", "..", "/a", "../a", "a/../b", "a/..", "./a", "a/", "a//b", "a/./b", "a\\b", "..\\a", "a\nb", "a\0"]


@pytest.mark.parametrize("path", [*UNSAFE, "."])
def test_paths_that_leave_the_folder_or_have_two_names_are_not(path: str) -> None:
    """Absolute paths, dots, doubled slashes, backslashes and control characters are not safe."""
    assert not safe_path(path)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b"]), max_size=6).map("/".join))
def test_no_safe_path_leaves_its_folder(path: str) -> None:
    """Walking along a safe path never goes up, and it has only one spelling."""
    if safe_path(path):
        assert ".." not in path.split("/")
        assert path == "." or set(path.split("/")) <= {"a", "b"}
