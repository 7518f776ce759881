"""Elliptic-curve keys in PEM."""

import hashlib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nocturne.domain.errors import ConfigurationError

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_EXPECTED = f"an elliptic-curve key ({', '.join(_CURVES.values())})"
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)  # TypeError: a password is missing, or there is none to give


def check_private_key(path: Path, password: str) -> None:
    """Raises ConfigurationError unless the file holds a private key that can sign."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password.encode() or None)
    except OSError as error:
        raise ConfigurationError(f"the key {path}", [f"cannot be read: {error.strerror}"]) from error
    except _UNREADABLE as error:
        raise ConfigurationError(f"the key {path}", [_private_key_fault(error, password)]) from error
    if fault := _kind_fault(key):
        raise ConfigurationError(f"the key {path}", [fault])


def fingerprints(keys: dict[str, bytes]) -> dict[str, str]:
    """For each name the sha256 of the public key's PEM, as a signature names it. Raises ConfigurationError with every fault."""
    found: dict[str, str] = {}
    faults = []
    for name, pem in keys.items():
        try:
            key = serialization.load_pem_public_key(pem)
        except _UNREADABLE:
            faults.append(f"{name}: found no public key in PEM, expected {_EXPECTED}")
            continue
        if fault := _kind_fault(key):
            faults.append(f"{name}: {fault}")
        else:
            canonical = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            found[name] = hashlib.sha256(canonical).hexdigest()
    if faults:
        raise ConfigurationError("the set of public keys in [signers]", faults)
    return found


def short(fingerprint: str) -> str:
    """For people: the first 16 digits."""
    return f"sha256 {fingerprint[:16]}"


def _private_key_fault(error: Exception, password: str) -> str:
    if isinstance(error, TypeError):
        return "is not encrypted, but a password was given" if password else "is encrypted: give its password"
    if password and "password" in str(error).lower():
        return "the password does not open it"
    return f"found no private key in PEM, expected {_EXPECTED}"


def _kind_fault(key: object) -> str:
    if not isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return f"found {type(key).__name__}, expected {_EXPECTED}"
    return "" if key.curve.name in _CURVES else f"found the curve {key.curve.name}, expected {_EXPECTED}"
