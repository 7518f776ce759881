import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_CURVES = {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp256k1": ec.SECP256K1}


@dataclass(frozen=True)
class Signer:
    """Somebody with a pair of keys. fingerprint: sha256 of the public one's PEM."""

    private: Path
    public: Path

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.public.read_bytes()).hexdigest()


def make_signer(folder: Path, curve: str = "secp256r1", password: str = "") -> Signer:
    """New keys in two files."""
    key = ec.generate_private_key(_CURVES[curve]())
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signer = Signer(folder / "private.pem", folder / "public.pem")
    folder.mkdir(exist_ok=True)
    signer.private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    signer.public.write_bytes(public)
    return signer
