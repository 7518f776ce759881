"""What can be read of a signature before it is verified."""

import base64
import json
from typing import Any

import pytest

from nocturne.adapters.model_signing.bundle import differences, read_bundle
from nocturne.domain.errors import Rejected

RESOURCE = {"name": "model.onnx", "algorithm": "sha256", "digest": "ab"}
STATEMENT = {
    "predicateType": "https://model_signing/signature/v1.0",
    "predicate": {"serialization": {"method": "files", "hash_type": "sha256"}, "resources": [RESOURCE]},
}


def bundle(statement: Any = STATEMENT, **material: Any) -> str:
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    material = material or {"publicKey": {"hint": "12"}}
    return json.dumps({"verificationMaterial": material, "dsseEnvelope": {"payload": payload}})


def predicate(**changes: Any) -> dict[str, Any]:
    return {**STATEMENT, "predicate": {**STATEMENT["predicate"], **changes}}  # type: ignore[dict-item]


def test_a_signature_names_its_key_and_files() -> None:
    """Whose it is, how it hashes, and what it covers."""
    found = read_bundle(bundle())
    assert (found.fingerprint, found.hash_type, found.shard_size) == ("12", "sha256", None)
    assert found.digests == {"model.onnx": "ab"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "found '', expected a Sigstore bundle in JSON"),
        ("-----BEGIN PGP SIGNATURE-----", "found '-----BEGIN PGP"),
        ("[]", "expected a Sigstore bundle"),
        ("[" * 100_000, "expected a Sigstore bundle"),
        ("{}", "it has no 'verificationMaterial'"),
        (bundle([]), "expected a Sigstore bundle"),
        (bundle({}), "it has no 'predicateType'"),
        (bundle({"predicateType": "https://model_signing/Digests/v0.1"}), "it is one of 'https://model_signing/Digests/v0.1'"),
        (bundle(certificate={}), "it was made with certificate, expected a key"),
        (bundle(publicKey="12"), "expected a Sigstore bundle"),
        (bundle(predicate(serialization={"method": "files", "hash_type": "md5"})), "it hashes with 'md5'"),
        (bundle(predicate(resources=[{"name": "a"}])), "it has no 'digest'"),
        (bundle(predicate(resources=[{"name": ["a"], "digest": "b"}])), "expected a Sigstore bundle"),
        (" " * 16_000_001, "it has 16,000,001 characters"),
    ],
)
def test_what_is_no_signature(text: str, fault: str) -> None:
    """Anything else is refused with what was found and expected."""
    with pytest.raises(Rejected, match="the model's signature is not one") as raised:
        read_bundle(text)
    assert fault in raised.value.message


def test_differences_are_told_by_file() -> None:
    """Each file is told apart; names that cannot be printed are quoted."""
    found = list(differences({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d\n": "1"}))
    assert found == ["b was changed", "c was signed, but is not there", "'d\\n' is there, but was not signed"]
