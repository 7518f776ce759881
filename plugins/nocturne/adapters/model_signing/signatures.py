"""Signing and verifying with the public API of OpenSSF's model-signing."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nocturne.adapters.model_signing.bundle import SIGN_AGAIN, Bundle, differences, read_bundle
from nocturne.adapters.model_signing.keys import check_private_key, fingerprints, short
from nocturne.domain.errors import Rejected
from nocturne.ports.model_signatures import ModelSignatures

if TYPE_CHECKING:
    from nocturne.adapters.model_signing.exact_hashing import ExactHashing

_LISTED = 10


class OpenSsfSignatures(ModelSignatures):
    """Signatures that the package's own command line makes and accepts, too. The folder's name is in them, but binds nobody."""

    def sign(self, folder: Path, paths: tuple[str, ...], key: Path, password: str = "") -> str:
        """See the port."""
        check_private_key(key, password)
        from model_signing import signing

        from nocturne.adapters.model_signing.exact_hashing import ExactHashing

        with _exactly(folder, paths) as (model, scratch):
            # The package's own type says text, but hands it to cryptography, which wants bytes.
            secret = password.encode() or None
            config = signing.Config().set_hashing_config(ExactHashing())  # type: ignore[no-untyped-call]
            config.use_elliptic_key_signer(private_key=key, password=secret)  # type: ignore[arg-type]
            config.sign(model, scratch / "signature")
            return (scratch / "signature").read_text(encoding="utf-8")

    def verify(self, folder: Path, paths: tuple[str, ...], signature: str, keys: dict[str, bytes]) -> str:
        """See the port."""
        known = fingerprints(keys)
        bundle = read_bundle(signature)
        candidates = [name for name in known if bundle.fingerprint in (None, known[name])]
        with _exactly(folder, paths) as (model, scratch):
            (scratch / "signature").write_text(signature, encoding="utf-8")
            for name in candidates:
                (scratch / "key").write_bytes(keys[name])
                if _fits(model, scratch, bundle):
                    return name
        raise _foreign(bundle, known, named=bool(candidates))


def _fits(model: Path, scratch: Path, bundle: Bundle) -> bool:
    """Whether this key made the signature. Raises Rejected where it did, but over other files than these."""
    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    from nocturne.adapters.model_signing.exact_hashing import ExactHashing

    hashing = ExactHashing(bundle.hash_type, bundle.shard_size)
    try:
        config = verifying.Config().set_hashing_config(hashing)  # type: ignore[no-untyped-call]
        config.use_elliptic_key_verifier(public_key=scratch / "key").verify(model, scratch / "signature")
    except InvalidSignature:
        return False
    except Exception as error:  # what it raises for input that nobody foresaw is not documented
        raise _refusal(bundle, hashing, error) from error
    return True


def _refusal(bundle: Bundle, hashing: "ExactHashing", error: Exception) -> Rejected:
    if hashing.found is None:
        return Rejected(f"the model's signature cannot be verified: {error}"[:300], advice=SIGN_AGAIN)
    found = list(differences(bundle.digests, hashing.found))
    listing = "".join(f"\n  - {difference}" for difference in islice(found, _LISTED))
    more = f"\n  - and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return Rejected(f"the model is not as it was signed:{listing}{more}", advice=SIGN_AGAIN)


def _foreign(bundle: Bundle, known: dict[str, str], *, named: bool) -> Rejected:
    accepted = ", ".join(f"{name} ({short(value)})" for name, value in known.items())
    found = short(str(bundle.fingerprint)) if bundle.fingerprint else "a key that it does not name"
    what = f"names {found}, but was not made with it" if named and bundle.fingerprint else f"is by another key: found {found}"
    return Rejected(f"the model's signature {what}; expected one by {accepted}", advice="have it signed by one of them")


@contextmanager
def _exactly(folder: Path, paths: tuple[str, ...]) -> Iterator[tuple[Path, Path]]:
    """A folder of the same name with links to exactly these files, for the package takes whole folders; and a scratch folder."""
    with TemporaryDirectory(prefix="signature-") as scratch:
        model = Path(scratch) / "model" / (folder.resolve().name or "model")
        model.mkdir(parents=True)
        for path in paths:
            if (folder / path).is_file():
                (model / path).parent.mkdir(parents=True, exist_ok=True)
                (model / path).symlink_to((folder / path).resolve())
        yield model, Path(scratch)
