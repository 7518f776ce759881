"""What the release image is: a code image, the model's layer, and a few lines that say which release it is."""

import json
from pathlib import Path

from nocturne.domain import digest
from nocturne.domain.configuration import Configuration
from nocturne.domain.records import Release
from nocturne.ports.image_registry import AppendRequest, LayerFile


def request(configuration: Configuration, release: Release, code_image: str, files: dict[str, Path]) -> AppendRequest:
    """The same request, and so the same image, for the same release on any machine.

    The model has a layer of its own whose bytes depend on the model alone, so that new code does not move it again; what
    names the release is in a second, tiny layer (docs/decisions/0001).
    """
    inputs = release.inputs
    model_layer = tuple(LayerFile(f"/model/{path}", source) for path, source in sorted(files.items()))
    names = _names(configuration, release)
    return AppendRequest(
        base=code_image,
        repository=configuration.image.repository,
        layers=(model_layer, (LayerFile("/release.json", release_json(release)),)),
        labels=names,
        annotations=names,
        tags=(release.id,),
        # The younger half's date, not the clock's: the image must not depend on when it was joined.
        created=max(inputs.code.committed_at, inputs.model.created_at),
    )


def release_json(release: Release) -> bytes:
    """What the app serves at `/version`."""
    inputs = release.inputs
    content = {
        "release": release.id,
        "commit": inputs.code.commit,
        "tree": inputs.code.tree,
        "model_version": inputs.model.version,
        "model_digest": inputs.model.digest,
    }
    return json.dumps(content, indent=2).encode()


def _names(configuration: Configuration, release: Release) -> dict[str, str]:
    # The first six are https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
    inputs = release.inputs
    return {
        "org.opencontainers.image.title": configuration.name,
        "org.opencontainers.image.version": release.id,
        "org.opencontainers.image.revision": inputs.code.commit,
        "org.opencontainers.image.created": max(inputs.code.committed_at, inputs.model.created_at),
        "org.opencontainers.image.base.name": configuration.image.base,
        "org.opencontainers.image.base.digest": inputs.base_digest,
        "io.nocturne.release": release.id,
        "io.nocturne.code.tree": inputs.code.tree,
        "io.nocturne.model.name": inputs.model.name,
        "io.nocturne.model.version": inputs.model.version,
        "io.nocturne.model.digest": inputs.model.digest,
        "io.nocturne.model.size": str(inputs.model.size),
    }


def trial_name(release_id: str, image: str) -> str:
    """The name of the container that tries a release's image out."""
    return f"nocturne-trial-{release_id}-{digest.short(digest.of_bytes(image.encode()))}"
