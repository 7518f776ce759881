"""What may be published, under which name, and what is said of the rest."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from nocturne.domain import digest
from nocturne.domain.errors import Conflict, Rejected
from nocturne.domain.model import ModelManifest
from nocturne.steps.publish_model import Terms, publish_model
from tests.fakes.clock import FakeClock
from tests.fakes.model_store import FakeModelStore
from tests.fakes.model_trust import FakeModelSignatures

CARD: dict[str, Any] = {
    "schema": 1,
    "name": "digits",
    "model": "model.onnx",
    "input": {"name": "image", "shape": [None, 64], "type": "float32"},
    "output": {"name": "probabilities", "kind": "probabilities"},
    "labels": ["0", "1"],
    "metrics": {"accuracy": 0.98},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that can be published."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.onnx").write_bytes(b"\x08onnx")
    write_card(tmp_path / "model", CARD)
    return tmp_path / "model"


def write_card(folder: Path, card: object) -> None:
    (folder / "model.json").write_text(json.dumps(card))


def publish(folder: Path, version: str | None = None, store: FakeModelStore | None = None) -> ModelManifest:
    return publish_model(store or FakeModelStore(), folder, version, FakeClock(), lambda moved: None)


def faults(folder: Path, version: str | None = None) -> str:
    store = FakeModelStore()
    with pytest.raises(Rejected) as raised:
        publish(folder, version, store)
    assert store.versions() == []
    return raised.value.message


def test_the_manifest_names_every_file_by_its_digest(folder: Path) -> None:
    """What is published is each file of the folder, also in folders below, with size and sha256, and the card."""
    (folder / "parts").mkdir()
    (folder / "parts" / "weights.bin").write_bytes(b"weights")
    manifest = publish(folder, "v1")
    found = {file.path: (file.size, file.sha256) for file in manifest.files}
    assert list(found) == ["model.json", "model.onnx", "parts/weights.bin"]
    assert found["parts/weights.bin"] == (7, digest.of_bytes(b"weights"))
    assert (manifest.name, manifest.version, manifest.card) == ("digits", "v1", CARD)
    assert manifest.created_at == "2026-11-20T02:00:00+00:00"


def test_a_version_is_named_after_its_time_and_digest(folder: Path) -> None:
    """Without a wish, the version is the UTC time and the first six digits of the digest."""
    manifest = publish(folder)
    assert manifest.version == f"20261120-0200-{manifest.digest.removeprefix('sha256:')[:6]}"


def test_the_same_model_is_not_published_twice_unawares(folder: Path) -> None:
    """Content that is published already is a conflict naming its version, unless a name is given."""
    store = FakeModelStore()
    publish(folder, "v1", store)
    with pytest.raises(Conflict, match=r"as version v1 \(which is the latest\)") as raised:
        publish(folder, None, store)
    assert "--version" in raised.value.advice
    publish(folder, "v2", store)
    assert [listing.version for listing in store.versions()] == ["v2", "v1"]


def test_hidden_files_are_left_out_with_a_note(folder: Path) -> None:
    """Hidden files and folders stay at home, and the data scientist hears of it."""
    (folder / ".git").mkdir()
    (folder / ".git" / "config").touch()
    (folder / ".DS_Store").touch()
    notes: list[str] = []
    manifest = publish_model(FakeModelStore(), folder, None, FakeClock(), lambda moved: None, notes.append)
    assert [file.path for file in manifest.files] == ["model.json", "model.onnx"]
    assert notes == ["left out, because hidden: .DS_Store, .git"]


def test_all_faults_are_in_one_error(folder: Path) -> None:
    """Faults of the version, the files and the card are all told at once."""
    (folder / "empty").touch()
    (folder / "model.pkl").write_bytes(b"x")
    (folder / "manifest.json").write_text("{}")
    write_card(
        folder, CARD | {"schema": 2, "name": "a/b", "model": "gone.onnx", "input": {}, "labels": ["a", "a"], "metrics": {"f1": "x"}}
    )
    found = faults(folder, "no good")
    for fault in (
        "'no good' cannot name a model version",
        "'empty' is empty",
        "'model.pkl' is a pickle",
        "manifest.json is the name of what publishing writes",
        "schema is 2, expected 1",
        "name is 'a/b'",
        "model is 'gone.onnx', expected one of the files: empty, manifest.json, model.json, model.onnx, model.pkl",
        "input is {}",
        "labels names a more than once",
        "metrics.f1 is 'x', expected a number",
    ):
        assert fault in found
    assert found.count("\n  - ") == 10


def test_labels_may_be_in_a_file_of_the_folder(folder: Path) -> None:
    """A card may name its label file, which must be there, and needs no metrics."""
    card = {key: value for key, value in CARD.items() if key != "metrics"} | {"labels": "synset.txt"}
    write_card(folder, card)
    told = "labels is 'synset.txt', expected a list of texts, or one of the files: model.json, model.onnx"
    assert faults(folder).endswith(f":\n  - model.json: {told}")
    (folder / "synset.txt").write_text("n01440764 tench\nn02127052 lynx\n")
    assert publish(folder).card == card


@pytest.mark.parametrize("version", ["", "latest", ".hidden", "a/b", "../v1", "x" * 101])
def test_a_version_that_cannot_be_a_folder_is_refused(folder: Path, version: str) -> None:
    """A version's name must be able to stand in paths, tags and labels, beside the pointer."""
    assert "version" in faults(folder, version)


@pytest.mark.parametrize("name", ["m.pkl", "m.PICKLE", "m.joblib", "m.pt", "m.pth", "m.ckpt"])
def test_a_file_called_like_a_pickle_is_refused(folder: Path, name: str) -> None:
    """Formats that run code when they are loaded are refused with the reason, in any spelling."""
    (folder / name).write_bytes(b"x")
    assert "runs whatever code is in it" in faults(folder)


@pytest.mark.parametrize("name", ["m.zip", "m.npz", "m.keras", "m.H5", "m.hdf5"])
def test_an_archive_is_refused_unless_it_is_allowed(folder: Path, name: str) -> None:
    """Archives in which code can hide are refused with the reason; one whose format is allowed is taken."""
    (folder / name).write_bytes(b"PK\x03\x04 not even one")
    assert "in which pickles and functions can hide" in faults(folder)
    terms = Terms(formats=(".onnx", Path(name).suffix.lower()))
    manifest = publish_model(FakeModelStore(), folder, "v1", FakeClock(), lambda moved: None, terms=terms)
    assert name in [file.path for file in manifest.files]


def test_the_cards_model_must_be_of_an_allowed_format(folder: Path) -> None:
    """A model in another format than the allowed ones is refused, and taken where its format is allowed."""
    (folder / "model.tflite").write_bytes(b"x")
    write_card(folder, CARD | {"model": "model.tflite"})
    assert "model is 'model.tflite', expected a file that ends with .onnx" in faults(folder)
    terms = Terms(formats=(".tflite",))
    publish_model(FakeModelStore(), folder, "v1", FakeClock(), lambda moved: None, terms=terms)


def test_a_pickle_cannot_be_allowed(folder: Path) -> None:
    """Even a format that is allowed by its suffix is refused where it is a pickle."""
    (folder / "model.pkl").write_bytes(pickle.dumps([1.0]))
    write_card(folder, CARD | {"model": "model.pkl"})
    with pytest.raises(Rejected, match=r"'model\.pkl' is a pickle"):
        publish_model(FakeModelStore(), folder, "v1", FakeClock(), lambda moved: None, terms=Terms(formats=(".pkl",)))


def test_what_is_signed_is_what_is_published(folder: Path, tmp_path: Path) -> None:
    """The signature is over exactly the published files; one that lies in the folder is left out, with a note."""
    (folder / "model.sig").write_text("of another day")
    (tmp_path / "key").write_text("ada")
    store, signatures, notes = FakeModelStore(), FakeModelSignatures(), list[str]()
    terms = Terms(sign=lambda where, paths: signatures.sign(where, paths, tmp_path / "key"))
    manifest = publish_model(store, folder, "v1", FakeClock(), lambda moved: None, notes.append, terms)
    paths = tuple(file.path for file in manifest.files)
    assert paths == ("model.json", "model.onnx")
    assert signatures.verify(folder, paths, store.freeze("v1").signature, {"ada": b"ada"}) == "ada"
    assert len(notes) == 1
    assert notes[0].startswith("left out: model.sig")


def test_a_publishing_that_broke_off_is_gone_on_with(folder: Path) -> None:
    """Without a wish, the version under which the same files were being published is finished; a wish is a version of its own."""
    store, notes = FakeModelStore(), list[str]()
    manifest = publish(folder, "elsewhere")
    store.open[manifest.digest] = "begun"
    assert publish(folder, "v1", store).version == "v1"
    store = FakeModelStore()
    store.open[manifest.digest] = "begun"
    found = publish_model(store, folder, None, FakeClock(), lambda moved: None, notes.append)
    assert (found.version, found.digest, store.latest) == ("begun", manifest.digest, "begun")
    assert notes == ["going on with begun, the publishing of the same files that broke off"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_called_bin_is_found_by_its_bytes(folder: Path, protocol: int) -> None:
    """A .bin file is refused when it is a pickle, and published when it is plain weights."""
    (folder / "weights.bin").write_bytes(b"\x00\x01\x02plain weights")
    publish(folder)
    (folder / "weights.bin").write_bytes(pickle.dumps([1.0], protocol=protocol))
    assert "'weights.bin' is a pickle" in faults(folder)


def test_links_must_stay_in_the_folder(folder: Path, tmp_path: Path) -> None:
    """A link inside the folder is published as the file it names; one that leaves, or leads nowhere, is refused."""
    (folder / "same.onnx").symlink_to("model.onnx")
    assert "same.onnx" in [file.path for file in publish(folder).files]
    (tmp_path / "secret").write_text("secret")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "nowhere").symlink_to("nothing")
    (folder / "above").symlink_to("..")
    found = faults(folder)
    assert "'out' is a link that leaves the folder" in found
    assert "'nowhere' is a link to nothing" in found
    assert "'above' is a link that leaves the folder" in found


def test_a_link_in_a_circle_ends(folder: Path) -> None:
    """A link to a folder above itself is refused, not followed without end."""
    (folder / "parts").mkdir()
    (folder / "parts" / "again").symlink_to("..")
    assert "'parts/again' is a link to a folder" in faults(folder)


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """A pipe is refused, and nobody waits for something to come out of it."""
    os.mkfifo(folder / "pipe")
    assert "'pipe' is neither a file nor a folder" in faults(folder)


@pytest.mark.parametrize("name", [b"new\nline", b"back\\slash", b"\xff\xfe"])
def test_a_name_that_cannot_be_a_blobs_is_refused(folder: Path, name: bytes) -> None:
    """Names with control characters, backslashes or bytes that are no text are refused."""
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    assert "cannot stand in a blob's name" in faults(folder)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", "is not JSON"),
        (b'{"metrics": {"f1": NaN}}', "NaN"),
        (b"[]", "found list, expected an object"),
        (b"{}", "is an empty object"),
        (b"\xff", "is not JSON"),
        (b'{"metrics": {"f1": 1e999}}', "the number 1e999, which is too large"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * 16_000_001, "has 16,000,001 bytes, expected 16,000,000 at most"),
    ],
    ids=["cut", "nan", "list", "empty", "no text", "infinite", "deep", "long"],
)
def test_a_card_that_cannot_be_read_is_refused(folder: Path, content: bytes, fault: str) -> None:
    """A card must be an object in JSON that every language can read."""
    (folder / "model.json").write_bytes(content)
    assert fault in faults(folder)


def test_a_folder_without_a_card_says_what_is_missing(folder: Path) -> None:
    """The card is named when it is missing."""
    (folder / "model.json").unlink()
    assert "model.json is missing" in faults(folder)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A path that is no folder is refused by its name."""
    assert "nowhere is not a folder" in faults(tmp_path / "nowhere")
