"""What a signature says of itself, before anybody has verified it: good for messages, and for choosing what to verify with.

It is a Sigstore bundle around a DSSE envelope around an in-toto statement:
https://docs.sigstore.dev/about/bundle/ and https://github.com/sigstore/model-transparency/blob/main/docs/model_signing_format.md
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nocturne.domain.errors import Rejected

SIGN_AGAIN = "sign the model again and publish it under a new version's name"
_PREDICATE = "https://model_signing/signature/v1.0"
_MAX_CHARACTERS = 16_000_000
HashType = Literal["sha256", "blake2", "blake3"]


@dataclass(frozen=True)
class Bundle:
    """fingerprint: sha256 of the signer's public key, None where it is not said. shard_size: bytes, None for whole files.

    digests: name of each signed file (`path:start:end` for a shard of one) to the hexadecimal digits of its digest.
    """

    fingerprint: str | None
    hash_type: HashType
    shard_size: int | None
    digests: dict[str, str]


def read_bundle(signature: str) -> Bundle:
    """Raises Rejected for what is no signature of a model, made with a key."""
    if len(signature) > _MAX_CHARACTERS:
        raise _no_signature(f"it has {len(signature):,} characters, expected {_MAX_CHARACTERS:,} at most")
    try:
        raw = json.loads(signature)
        material = raw["verificationMaterial"]
        if "publicKey" not in material:
            raise _no_signature(f"it was made with {', '.join(map(str, material))}, expected a key", "sign with a key")
        return _parse(json.loads(base64.b64decode(raw["dsseEnvelope"]["payload"])), material["publicKey"].get("hint"))
    except KeyError as error:
        raise _no_signature(f"it has no {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _no_signature(f"found {signature[:40]!r}, expected a Sigstore bundle in JSON") from error


def _parse(statement: dict[str, Any], hint: str | None) -> Bundle:
    if statement["predicateType"] != _PREDICATE:
        raise _no_signature(f"it is one of {statement['predicateType']!r}, expected {_PREDICATE}")
    serialization, resources = statement["predicate"]["serialization"], statement["predicate"]["resources"]
    if serialization["hash_type"] not in ("sha256", "blake2", "blake3"):
        raise _no_signature(f"it hashes with {serialization['hash_type']!r}, expected sha256, blake2 or blake3")
    shard_size = int(serialization["shard_size"]) if serialization["method"] == "shards" else None
    return Bundle(hint, serialization["hash_type"], shard_size, {item["name"]: item["digest"] for item in resources})


def differences(signed: dict[str, str], found: dict[str, str]) -> Iterator[str]:
    """What is not as it was signed, file by file."""
    for name in sorted(signed.keys() | found.keys()):
        if name not in found:
            yield f"{_shown(name)} was signed, but is not there"
        elif name not in signed:
            yield f"{_shown(name)} is there, but was not signed"
        elif signed[name] != found[name]:
            yield f"{_shown(name)} was changed"


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _no_signature(reason: str, advice: str = SIGN_AGAIN) -> Rejected:
    return Rejected(f"the model's signature is not one: {reason}", advice=advice)
