"""What a run is about, decided once at its start."""

from dataclasses import asdict, dataclass
from typing import Any

from nocturne.domain import digest
from nocturne.domain.code import CodeVersion
from nocturne.domain.model import FrozenModel, ModelFile


@dataclass(frozen=True)
class Inputs:
    """The frozen inputs of a release.

    base_image: reference by digest of the image that the code image starts from. manifests_digest: digest over the
    app's manifests for its target.
    """

    code: CodeVersion
    model: FrozenModel
    base_image: str
    manifests_digest: str

    @property
    def release_id(self) -> str:
        """`r-` and twelve digits of the hash of the four identities: the same inputs give the same id on any machine."""
        identity = [self.code.tree, self.model.digest, self.base_digest, self.manifests_digest]
        return f"r-{digest.short(digest.of_json(identity))}"

    @property
    def base_digest(self) -> str:
        """The digest of the base image."""
        return self.base_image.rpartition("@")[2]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the ledger and between steps."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Inputs":
        """The inverse of `to_dict`."""
        model = dict(raw["model"])
        model["files"] = tuple(ModelFile(**item) for item in model["files"])
        return cls(CodeVersion(**raw["code"]), FrozenModel(**model), raw["base_image"], raw["manifests_digest"])
