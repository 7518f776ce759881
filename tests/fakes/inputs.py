"""Frozen inputs for tests that do not care what is in them."""

import hashlib

from nocturne.domain import digest
from nocturne.domain.code import CodeVersion
from nocturne.domain.inputs import Inputs
from nocturne.domain.model import FrozenModel, ModelFile


def some_inputs(code: str = "code", model: str = "model", base: str = "base", manifests: str = "manifests") -> Inputs:
    """Inputs whose four identities follow from four words."""
    commit, tree = (hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() for text in (f"commit {code}", code))
    file = ModelFile("model.onnx", 3, digest.of_bytes(model.encode()))
    identity = digest.of_json([[file.path, file.sha256]])
    return Inputs(
        CodeVersion(commit, tree, "2026-11-19T12:00:00Z", f"Change {code}"),
        FrozenModel("digits", model, identity, "2026-11-19T06:00:00Z", (file,), {file.path: '"1"'}),
        f"base@{digest.of_bytes(base.encode())}",
        digest.of_bytes(manifests.encode()),
    )
