"""Signatures made and verified with the real package, real keys and real files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from model_signing import hashing, signing

from nocturne.adapters.model_signing import OpenSsfSignatures
from nocturne.domain.errors import ConfigurationError, Rejected
from tests.integration.model_trust.keys import Signer, make_signer

FILES = {"model.onnx": b"weights", "model.json": b"{}", "data/more.bin": b"more weights"}
PATHS = tuple(FILES)


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return make_signer(tmp_path_factory.mktemp("alice"))


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return make_signer(tmp_path_factory.mktemp("bob"), curve="secp384r1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of three files."""
    for path, content in FILES.items():
        (tmp_path / "digits" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "digits" / path).write_bytes(content)
    return tmp_path / "digits"


@pytest.fixture(scope="module")
def signature(alice: Signer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Alice's, over the model's files."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "data").mkdir()
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
    return OpenSsfSignatures().sign(folder, PATHS, alice.private)


def verify(folder: Path, signature: str, paths: tuple[str, ...] = PATHS, **signers: Signer) -> str:
    keys = {name: signer.public.read_bytes() for name, signer in signers.items()}
    return OpenSsfSignatures().verify(folder, paths, signature, keys)


def command(*words: str | Path) -> None:
    program = [sys.executable, "-m", "model_signing", *map(str, words)]
    subprocess.run(program, check=True, capture_output=True, text=True)


def test_the_key_that_fits_is_named(folder: Path, signature: str, alice: Signer, bob: Signer) -> None:
    """Of several keys the name of the one that signed is told; the folder's name does not matter."""
    moved = folder.rename(folder.with_name("elsewhere"))
    assert verify(moved, signature, bob=bob, alice=alice) == "alice"


def test_files_in_a_cache(folder: Path, tmp_path: Path, signature: str, alice: Signer) -> None:
    """Links to the files are as good as the files, which is how the cache hands them over."""
    links = tmp_path / "links"
    (links / "data").mkdir(parents=True)
    for path in PATHS:
        (links / path).symlink_to(folder / path)
    assert verify(links, signature, alice=alice) == "alice"


def test_a_signature_of_the_packages_own_command(folder: Path, alice: Signer) -> None:
    """What `model_signing sign key` wrote into the folder itself is accepted."""
    place = folder / "model.sig"
    command("sign", "key", folder, "--signature", place, "--private_key", alice.private)
    assert verify(folder, place.read_text(), alice=alice) == "alice"


def test_a_signature_over_parts_of_files(folder: Path, tmp_path: Path, alice: Signer) -> None:
    """A signature may hash files part by part, as large models are signed; a changed part is noticed."""
    config = signing.Config().use_elliptic_key_signer(private_key=alice.private)
    config.set_hashing_config(hashing.Config().use_shard_serialization(shard_size=5)).sign(folder, tmp_path / "signature")
    signature = (tmp_path / "signature").read_text()
    assert verify(folder, signature, alice=alice) == "alice"
    (folder / "model.onnx").write_bytes(b"weighty")
    with pytest.raises(Rejected, match=r"model\.onnx:5:7 was changed\n"):
        verify(folder, signature, alice=alice)


def test_the_packages_own_command_accepts_ours(folder: Path, signature: str, alice: Signer) -> None:
    """`model_signing verify key` accepts a signature that was made here."""
    place = folder / "model.sig"
    place.write_text(signature)
    command("verify", "key", folder, "--signature", place, "--public_key", alice.public)


def test_a_changed_file(folder: Path, signature: str, alice: Signer) -> None:
    """A file that is not as it was signed is named."""
    (folder / "model.onnx").write_bytes(b"Weights")
    with pytest.raises(Rejected, match=r"not as it was signed:\n  - model\.onnx was changed\n"):
        verify(folder, signature, alice=alice)


def test_a_missing_and_a_superfluous_file(folder: Path, signature: str, alice: Signer) -> None:
    """Signed files that are not there, and files that nobody signed, are named."""
    (folder / "extra").write_bytes(b"extra")
    with pytest.raises(Rejected) as raised:
        verify(folder, signature, ("model.onnx", "model.json", "extra"), alice=alice)
    assert "data/more.bin was signed, but is not there" in raised.value.message
    assert "extra is there, but was not signed" in raised.value.message


@pytest.mark.parametrize("extra", [".gitattributes", ".git/hooks", "model.sig", "weights"])
def test_no_file_is_left_out_of_the_signature(folder: Path, tmp_path: Path, alice: Signer, extra: str) -> None:
    """The package's own command ignores files of git and those that its signature lists; a model with such a file is refused."""
    place = tmp_path / "signature"
    command("sign", "key", folder, "--signature", place, "--private_key", alice.private, "--ignore-paths", folder / "weights")
    (folder / extra).parent.mkdir(exist_ok=True)
    (folder / extra).write_bytes(b"something else")
    with pytest.raises(Rejected, match="is there, but was not signed"):
        verify(folder, place.read_text(), (*PATHS, extra), alice=alice)


def test_many_changed_files(folder: Path, signature: str, alice: Signer) -> None:
    """Ten are listed, the others are counted."""
    names = tuple(f"new-{number:02d}" for number in range(14))
    for name in names:
        (folder / name).write_bytes(b"new")
    with pytest.raises(Rejected, match="and 4 more\n"):
        verify(folder, signature, (*PATHS, *names), alice=alice)


def test_another_signer(folder: Path, signature: str, alice: Signer, bob: Signer) -> None:
    """A signature by a key that is not accepted is told apart, with the fingerprints of both."""
    with pytest.raises(Rejected) as raised:
        verify(folder, signature, bob=bob)
    assert "by another key" in raised.value.message
    assert alice.fingerprint[:16] in raised.value.message
    assert f"bob (sha256 {bob.fingerprint[:16]})" in raised.value.message


def test_a_forged_name(folder: Path, signature: str, alice: Signer, bob: Signer) -> None:
    """A signature that claims a key that did not make it is refused."""
    forged = json.loads(signature)
    forged["verificationMaterial"]["publicKey"]["hint"] = bob.fingerprint
    with pytest.raises(Rejected, match="was not made with it"):
        verify(folder, json.dumps(forged), bob=bob, alice=alice)


def test_a_signature_without_a_name(folder: Path, signature: str, alice: Signer, bob: Signer) -> None:
    """Where a signature does not say whose it is, each key is tried."""
    nameless = json.loads(signature)
    del nameless["verificationMaterial"]["publicKey"]["hint"]
    assert verify(folder, json.dumps(nameless), bob=bob, alice=alice) == "alice"
    with pytest.raises(Rejected, match="by another key: found a key that it does not name"):
        verify(folder, json.dumps(nameless), bob=bob)


def test_a_changed_statement(folder: Path, signature: str, alice: Signer) -> None:
    """Who changes the list of files inside the signature breaks it."""
    changed = json.loads(signature)
    payload = changed["dsseEnvelope"]["payload"]
    changed["dsseEnvelope"]["payload"] = payload[:-8] + "fSB9" + payload[-4:]
    with pytest.raises(Rejected):
        verify(folder, json.dumps(changed), alice=alice)


def test_no_file_outside_the_model_is_signed(folder: Path, signature: str, alice: Signer) -> None:
    """What lies in the folder but is no file of the model, such as a signature, does not matter."""
    (folder / "notes.txt").write_text("not published")
    assert verify(folder, signature, alice=alice) == "alice"


def test_an_encrypted_key(folder: Path, tmp_path: Path) -> None:
    """A key with a password signs with it, and only with it."""
    carol = make_signer(tmp_path / "carol", password="open sesame")
    assert verify(folder, OpenSsfSignatures().sign(folder, PATHS, carol.private, "open sesame"), carol=carol) == "carol"
    with pytest.raises(ConfigurationError, match="give its password"):
        OpenSsfSignatures().sign(folder, PATHS, carol.private)
    with pytest.raises(ConfigurationError, match="does not open it"):
        OpenSsfSignatures().sign(folder, PATHS, carol.private, "sesame")


def test_keys_of_openssl(folder: Path, tmp_path: Path) -> None:
    """Keys made as the documentation says sign and verify."""
    private, public = tmp_path / "dave.key", tmp_path / "dave.pem"
    for words in (
        f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {private}",
        f"openssl pkey -in {private} -pubout -out {public}",
    ):
        subprocess.run(words.split(), check=True, capture_output=True)
    signature = OpenSsfSignatures().sign(folder, PATHS, private)
    assert OpenSsfSignatures().verify(folder, PATHS, signature, {"dave": public.read_bytes()}) == "dave"
