"""Reading what was published of a version: its manifest, its card and its signature."""

from dataclasses import replace
from typing import Any

from nocturne.adapters.object_store.blobs import Blobs
from nocturne.adapters.object_store.layout import Layout
from nocturne.domain import digest, strict_json
from nocturne.domain.errors import BadBlob, Rejected
from nocturne.domain.model import CARD, MAX_CARD_BYTES, MAX_MANIFEST_BYTES, ModelFile, ModelManifest
from nocturne.domain.model_manifest import parse_manifest

_AGAIN = "publish it again under a new version's name"


def read_manifest(blobs: Blobs, layout: Layout, version: str) -> ModelManifest | None:
    """A version's manifest with its card, None when there is none. Raises BadBlob, blaming the version, for a bad one."""
    path, to_blame = layout.manifest(version), (f"{layout.name}/{version}",)
    content = small_blob(blobs, path, to_blame, MAX_MANIFEST_BYTES)
    if content is None:
        return None
    try:
        manifest = parse_manifest(content, path)
    except Rejected as error:
        raise BadBlob(error.message, advice=error.advice, culprits=to_blame) from error
    if (manifest.name, manifest.version) != (layout.name, version):
        raise BadBlob(
            f"{path} is the manifest of {manifest.name} {manifest.version}, expected that of {layout.name} {version}",
            advice="the folder was copied or renamed by hand; publish the model under the new name instead",
            culprits=to_blame,
        )
    card_file = next((file for file in manifest.files if file.path == CARD), None)
    if manifest.card or card_file is None:
        return manifest
    return replace(manifest, card=_card(blobs, layout.file(version, CARD), card_file, to_blame))


def read_signature(blobs: Blobs, path: str, to_blame: tuple[str, ...]) -> str:
    """The text of a signature, empty where there is none. Raises BadBlob for one that is no text."""
    return decoded(small_blob(blobs, path, to_blame) or b"", path, to_blame)


def small_blob(blobs: Blobs, path: str, to_blame: tuple[str, ...], at_most: int = MAX_CARD_BYTES) -> bytes | None:
    """What is in a blob that is to be a text, None when there is none. Raises BadBlob for one that is too long to be one."""
    try:
        blob = blobs.read(path, at_most)
    except BadBlob as error:
        raise BadBlob(error.message, advice=_AGAIN, culprits=to_blame) from error
    return blob.content if blob else None


def decoded(content: bytes, path: str, to_blame: tuple[str, ...]) -> str:
    """The text in a blob. Raises BadBlob for what is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadBlob(f"{path} is no text in UTF-8: {error}", advice=_AGAIN, culprits=to_blame) from error


def parse_card(content: bytes, path: str, to_blame: tuple[str, ...]) -> dict[str, Any]:
    """A card. Raises BadBlob for what is no JSON object."""
    try:
        card = strict_json.loads(content)
        if not isinstance(card, dict):
            raise TypeError(f"found {type(card).__name__}, expected an object")
    except (ValueError, TypeError) as error:
        raise BadBlob(f"the card {path} cannot be read: {error}", advice=_AGAIN, culprits=to_blame) from error
    return card


def _card(blobs: Blobs, path: str, file: ModelFile, to_blame: tuple[str, ...]) -> dict[str, Any]:
    content = small_blob(blobs, path, to_blame)
    if content is None:
        raise BadBlob(f"found no card {path}, which the manifest names", advice=_AGAIN, culprits=to_blame)
    if (found := digest.of_bytes(content)) != file.sha256:
        raise BadBlob(f"the card {path} is corrupt: found {found}, expected {file.sha256}", advice=_AGAIN, culprits=to_blame)
    return parse_card(content, path, to_blame)
