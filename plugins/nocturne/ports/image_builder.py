"""What needs a container engine: building a code image, and trying an image out."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

Log = Callable[[str], None]


@dataclass(frozen=True)
class CodeImageRequest:
    """What a code image is made of.

    context: the app's folder, with its Dockerfile and a `wheels` folder. base_image: reference by digest. target: reference with
    tag that the image is pushed to. labels: go into the image's configuration.
    """

    context: Path
    base_image: str
    target: str
    labels: Mapping[str, str]


class ImageBuilder(ABC):
    """Builds images without a network and pushes them."""

    @abstractmethod
    def build(self, request: CodeImageRequest, log: Log) -> str:
        """Build, push to `request.target` and return the reference by digest (`host/repository@sha256:...`).

        Raises Rejected when the Dockerfile fails, with the last lines; Broken when the engine or the registry is out of reach.
        """


class ImageRunner(ABC):
    """Runs an image for a short time, to try it out."""

    @abstractmethod
    def run(self, image: str, port: int, name: str, log: Log) -> AbstractContextManager["RunningImage"]:
        """Pull the image by digest and start it read-only, reachable from here alone; removed at the end, whatever happens.

        port: the one that the app listens on. name: a container left behind under that name by a killed try is removed first.
        Raises Broken when the engine is out of reach or the image cannot be pulled.
        """


@dataclass(frozen=True)
class RunningImage:
    """A container under trial. url: base address. logs: yields its output so far. exited: its exit code, None while it runs."""

    url: str
    logs: Callable[[], Iterator[str]]
    exited: Callable[[], int | None]
