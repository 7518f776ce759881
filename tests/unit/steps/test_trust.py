import dataclasses
import json
from pathlib import Path

import pytest

from nocturne.domain import digest
from nocturne.domain.configuration import FILE
from nocturne.domain.errors import BadBlob, Rejected
from nocturne.domain.model import FrozenModel
from nocturne.domain.records import Release, Subject
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from nocturne.steps.world import Outcome
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import run_of

CARD = json.dumps({"schema": 1, "model": "model.onnx"}).encode()
KEYS = {"keys/alice.pem": b"Alice", "keys/bob.pem": b"Bob"}
SIGNERS = b'[signers]\nalice = "keys/alice.pem"\nbob = "keys/bob.pem"\n'
DEMANDS = RELEASE_TOML + b'signed_by = ["alice"]\n' + SIGNERS


def configure(world: FakeWorld, content: bytes, keys: dict[str, bytes] = KEYS) -> None:
    """Commit this configuration with these keys; the deployed one is the same."""
    world.code.commit({**world.code.commits[world.code.refs["HEAD"]], FILE: content, **keys})
    world.at(world.code.refs["HEAD"])


def release(world: FakeWorld, signed_by: str = "", **blobs: bytes) -> Release:
    """A release of a new model with these files (`_` for a dot), signed by the holder of a key."""
    files = {"model.json": CARD, "model.onnx": b"weights"} | {name.replace("_", "."): content for name, content in blobs.items()}
    world.models.add("v2", files)
    frozen = freeze_inputs(world, run_of(1), Wish(dry_run=True))
    assert frozen.inputs is not None
    inputs = dataclasses.replace(frozen.inputs, model=signed(world, frozen.inputs.model, signed_by, files))
    return world.ledger.open_release(inputs, {})


def signed(world: FakeWorld, model: FrozenModel, by: str, files: dict[str, bytes]) -> FrozenModel:
    if not by:
        return model
    folder = world.cache.scratch("signing")
    for path, content in files.items():
        (folder / path).write_bytes(content)
    (folder / "key").write_text(by)
    return dataclasses.replace(model, signature=world.signatures.sign(folder, tuple(files), folder / "key"))


def fetch(world: FakeWorld, found: Release, number: int = 1, force: bool = False) -> Outcome:
    return fetch_model(world, run_of(number, force), found)


def evidence(world: FakeWorld, found: Release) -> tuple[bool, dict[str, object]]:
    learned = world.ledger.recall(Subject.INSPECTION, found.inputs.model.digest)
    assert learned is not None
    return learned.passed, learned.details


def refused(world: FakeWorld, found: Release) -> Rejected:
    with pytest.raises(Rejected) as raised:
        fetch(world, found)
    return raised.value


def test_an_unsigned_model_where_nobody_asks(world: FakeWorld) -> None:
    """A model is inspected, and may be unsigned."""
    outcome = fetch(world, release(world))
    assert outcome.message.endswith(", unsigned, inspected")
    assert not outcome.skipped


def test_what_was_inspected_is_not_inspected_again(world: FakeWorld) -> None:
    """The same files are looked into once, unless a run is forced to."""
    found = release(world)
    fetch(world, found)
    again = fetch(world, found, 2)
    assert again.skipped
    assert "inspected on" in again.message
    assert world.inspector.looked_at == ["model.onnx"]
    fetch(world, found, 3, force=True)
    assert world.inspector.looked_at == ["model.onnx"] * 2


def test_a_bad_file(world: FakeWorld) -> None:
    """What is found in a file is recorded and blamed on the files, under whatever name they are published."""
    world.inspector.found = ["it has 0 outputs"]
    found = release(world)
    error = refused(world, found)
    assert "v2 is refused:\n  - model.onnx: it has 0 outputs" in error.message
    assert error.culprits == (found.inputs.model.digest,)
    assert evidence(world, found) == (False, {"faults": ["model.onnx: it has 0 outputs"]})


def test_a_bad_file_is_looked_at_again(world: FakeWorld) -> None:
    """A model that was refused once, and taken out of quarantine, gets another chance: limits may be wider now."""
    found = release(world)
    world.inspector.found = ["the inspection took longer than 2 s"]
    refused(world, found)
    world.inspector.found = []
    assert "inspected" in fetch(world, found, 2).message


def test_every_onnx_file_is_inspected(world: FakeWorld) -> None:
    """Not only the one that the card names: an app may load any of them."""
    fetch(world, release(world, decoder_ONNX=b"more weights", labels_txt=b"cat\ndog\nbird\n"))
    assert world.inspector.looked_at == ["decoder.ONNX", "model.onnx"]


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        (b"[]", "found list, expected an object"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"model": "../model.onnx"}', "'../model.onnx', which is none of its files"),
        (b'{"model": ["model.onnx"]}', "which is none of its files"),
        (b" " * 16_000_001, "has 16,000,001 bytes"),
    ],
)
def test_a_bad_card(world: FakeWorld, card: bytes, fault: str) -> None:
    """A card that names no model of this folder is a fault of the files."""
    found = release(world, model_json=card)
    error = refused(world, found)
    assert fault in error.message
    assert error.culprits == (found.inputs.model.digest,)


def test_a_card_that_leaves_the_model_open(world: FakeWorld) -> None:
    """Where the card names no model, the only file of an allowed format is it; with two nobody knows."""
    assert "inspected" in fetch(world, release(world, model_json=b"{}")).message
    assert "2 of its files could be it" in refused(world, release(world, model_json=b"{}", other_onnx=b"weights")).message


def test_another_format(world: FakeWorld) -> None:
    """A format that the code does not allow is refused with that code alone; where it is allowed, nothing looks into it."""
    files = {"model_json": b'{"model": "model.tflite"}', "model_tflite": b"weights"}
    error = refused(world, release(world, **files))
    assert "is model.tflite, expected a file that ends with .onnx" in error.message
    assert error.culprits == ()
    configure(world, RELEASE_TOML.replace(b"[model]", b'[model]\nformats = [".tflite"]'))
    assert "but not model.tflite, which is not ONNX" in fetch(world, release(world, **files)).message


@pytest.mark.parametrize("content", [b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94K\x01a.", b"cos\nsystem\n(S'true'\ntR."])
def test_a_pickle_by_another_name(world: FakeWorld, content: bytes) -> None:
    """A pickle is refused whatever its name, and nothing is built with it."""
    error = refused(world, release(world, vocabulary_txt=content))
    assert "vocabulary.txt is a pickle" in error.message


def test_a_model_that_is_too_large(world: FakeWorld) -> None:
    """It is refused before it is fetched, with this code alone."""
    configure(world, RELEASE_TOML.replace(b"[model]", b"[model]\nmax_bytes = 10"))
    error = refused(world, release(world))
    assert "bytes, expected 10 at most" in error.message
    assert (error.culprits, world.models.fetched_bytes) == ((), 0)


def test_an_unsigned_model_where_a_signature_is_demanded(world: FakeWorld) -> None:
    """It is refused when it is frozen, and only the published version is to blame."""
    configure(world, DEMANDS)
    world.models.add("v2", {"model.json": CARD, "model.onnx": b"weights"})
    with pytest.raises(Rejected, match="v2 is unsigned, but production takes only models signed by alice") as raised:
        freeze_inputs(world, run_of(1), Wish())
    assert raised.value.culprits == ("digits/v2",)
    assert [item.id for item in world.ledger.quarantined()] == ["digits/v2"]


def test_an_unsigned_version_is_refused_once(world: FakeWorld) -> None:
    """The next night says so without an error."""
    configure(world, DEMANDS)
    with pytest.raises(Rejected):
        freeze_inputs(world, run_of(1), Wish())
    assert "is unsigned" in freeze_inputs(world, run_of(2), Wish()).plan.reasons[0]


def test_a_model_that_was_frozen_before_signatures_were_demanded(world: FakeWorld) -> None:
    """It is refused when it is fetched, too."""
    found = release(world)
    configure(world, DEMANDS)
    assert "is unsigned" in refused(world, found).message


def signed_release(world: FakeWorld, by: str) -> Release:
    """A release that is signed by the holder of a key, in an environment that demands Alice's."""
    found = release(world, signed_by=by)
    configure(world, DEMANDS)
    code = world.code.resolve("HEAD")
    return dataclasses.replace(found, inputs=dataclasses.replace(found.inputs, code=code))


def test_a_signed_model(world: FakeWorld) -> None:
    """The signer is named, and remembered for the same files, signature and keys."""
    found = signed_release(world, "Alice")
    assert fetch(world, found).message.endswith(", signed by alice, inspected")
    assert fetch(world, found, 2).skipped
    learned = world.ledger.recall_newest(Subject.SIGNATURE, found.inputs.model.digest)
    assert learned is not None
    assert learned.details == {"signer": "alice", "faults": []}


def test_a_key_that_was_replaced(world: FakeWorld) -> None:
    """What was verified with another key is not relied upon."""
    found = signed_release(world, "Alice")
    fetch(world, found)
    configure(world, DEMANDS, {**KEYS, "keys/alice.pem": b"another key of Alice"})
    code = world.code.resolve("HEAD")
    later = dataclasses.replace(found, inputs=dataclasses.replace(found.inputs, code=code))
    assert "somebody else signed" in refused(world, later).message


def test_a_known_signer_who_may_not_sign_here(world: FakeWorld) -> None:
    """A key of [signers] that the environment does not name is a stranger's there."""
    error = refused(world, signed_release(world, "Bob"))
    assert "somebody else signed" in error.message


def test_a_tampered_model(world: FakeWorld) -> None:
    """A signature over other files is blamed on the published version: anybody could have put it there beside good files."""
    found = signed_release(world, "Alice")
    model = dataclasses.replace(found.inputs.model, signature=f"{found.inputs.model.signature} ")
    error = refused(world, dataclasses.replace(found, inputs=dataclasses.replace(found.inputs, model=model)))
    assert "was changed after it was signed" in error.message
    assert isinstance(error, BadBlob)
    assert error.culprits == ("digits/v2",)


def test_a_signature_that_nobody_demands(world: FakeWorld) -> None:
    """Where it is not demanded a signature is told, and one that does not hold is only warned of."""
    configure(world, RELEASE_TOML + SIGNERS)
    assert ", signed by bob, " in fetch(world, release(world, signed_by="Bob")).message
    world.cache.clear()
    stranger = fetch(world, release(world, signed_by="Mallory"), 2)
    assert ", with a signature that does not hold, " in stranger.message
    assert "warning: somebody else signed the model" in world.lines


def test_a_signature_without_any_key(world: FakeWorld) -> None:
    """An app that names no signers takes signed models as it takes unsigned ones."""
    assert ", with a signature that nobody asks for, " in fetch(world, release(world, signed_by="Bob")).message


def test_a_key_that_is_not_there(world: FakeWorld) -> None:
    """A missing key is the code's fault, not the model's."""
    found = release(world, signed_by="Alice")
    configure(world, DEMANDS, {})
    code = world.code.resolve("HEAD")
    error = refused(world, dataclasses.replace(found, inputs=dataclasses.replace(found.inputs, code=code)))
    assert "a public key of [signers] is missing: no file keys/alice.pem" in error.message
    assert error.culprits == (code.tree,)


def test_nothing_is_left_behind(world: FakeWorld, tmp_path: Path) -> None:
    """The folder in which a model was looked at goes away."""
    fetch(world, release(world))
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
    assert digest.of_bytes(b"weights") in {file.sha256 for file in release(world).inputs.model.files}
