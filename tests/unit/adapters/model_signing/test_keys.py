"""Keys that can and cannot be used."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from nocturne.adapters.model_signing.keys import check_private_key, fingerprints
from nocturne.domain.errors import ConfigurationError


def private(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, password: str = "") -> bytes:
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def public(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


P256 = ec.generate_private_key(ec.SECP256R1())
P521 = ec.generate_private_key(ec.SECP521R1())
BITCOIN = ec.generate_private_key(ec.SECP256K1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("content", "password", "fault"),
    [
        (b"no key", "", "found no private key in PEM"),
        (public(P256), "", "found no private key in PEM"),
        (private(BITCOIN), "", "found the curve secp256k1, expected an elliptic-curve key (P-256, P-384, P-521)"),
        (private(EDWARDS), "", "found Ed25519PrivateKey"),
        (private(P256, "right"), "", "is encrypted: give its password"),
        (private(P256, "right"), "wrong", "the password does not open it"),
        (private(P256), "any", "is not encrypted, but a password was given"),
    ],
)
def test_a_private_key_that_cannot_sign(tmp_path: Path, content: bytes, password: str, fault: str) -> None:
    """What is wrong with it is said in plain words, with the file's name."""
    (tmp_path / "alice.key").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"alice\.key") as raised:
        check_private_key(tmp_path / "alice.key", password)
    assert fault in raised.value.message


def test_a_private_key_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a fault of the same kind."""
    with pytest.raises(ConfigurationError, match="No such file"):
        check_private_key(tmp_path / "alice.key", "")


def test_private_keys_that_can_sign(tmp_path: Path) -> None:
    """Plain or encrypted, of any of the curves."""
    for key, password in ((P256, ""), (P521, "secret")):
        (tmp_path / "key").write_bytes(private(key, password))
        check_private_key(tmp_path / "key", password)


def test_a_fingerprint_does_not_depend_on_how_the_file_is_written() -> None:
    """The same key in another spelling has the same fingerprint; another key has another."""
    found = fingerprints({"a": public(P256), "b": b"# Alice's\n\n" + public(P256).replace(b"\n", b"\r\n"), "c": public(P521)})
    assert found["a"] == found["b"] != found["c"]


def test_every_bad_public_key_is_told() -> None:
    """All faults at once, each with its name."""
    with pytest.raises(ConfigurationError) as raised:
        fingerprints({"alice": b"no key", "bob": public(EDWARDS), "carol": public(P256), "dave": public(BITCOIN)})
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["alice", "bob", "dave"]


def test_the_package_is_imported_only_when_it_is_used() -> None:
    """A worker that verifies nothing does not wait for it."""
    program = "import sys, nocturne.adapters.model_signing; print('model_signing' in sys.modules, 'sigstore' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": "plugins"}
    )
    assert done.stdout == "False False\n"
