"""Where images are kept."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LayerFile:
    """One file of a layer. path: absolute in the image. source: the file to read, or its content."""

    path: str
    source: Path | bytes


@dataclass(frozen=True)
class AppendRequest:
    """A new image: an existing one plus layers.

    base: repository and digest (`repository@sha256:...`). layers: each becomes one layer, in order, always the same bytes for
    the same files. tags: names for people. created: RFC 3339; goes into the configuration, so that the same request gives the
    same digest on any machine.
    """

    base: str
    repository: str
    layers: tuple[tuple[LayerFile, ...], ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    tags: tuple[str, ...]
    created: str


@dataclass(frozen=True)
class Appended:
    """The image that came of it. image: reference by digest. moved_bytes: what was uploaded; present_bytes: what was there."""

    image: str
    moved_bytes: int
    present_bytes: int


class ImageRegistry(ABC):
    """An OCI registry. References are given without the registry's host: `repository:tag` or `repository@sha256:...`."""

    @abstractmethod
    def digest(self, reference: str) -> str | None:
        """The digest that a reference stands for now, None when there is no such image. Raises Broken when out of reach."""

    @abstractmethod
    def labels(self, reference: str) -> dict[str, str]:
        """The labels in the image's configuration. Raises NotFound."""

    @abstractmethod
    def append(self, request: AppendRequest) -> Appended:
        """Put layers on an image, moving only the bytes that the registry does not have.

        Raises NotFound when the base is not there, Broken when the registry is out of reach.
        """

    @abstractmethod
    def full(self, reference: str) -> str:
        """The reference with the registry's host, as a container engine or a cluster pulls it."""
