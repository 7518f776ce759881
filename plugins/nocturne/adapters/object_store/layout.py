"""Where things are in the store.

<name>/latest                     the pointer: a small text, in JSON or plain, that names the latest version
<name>/<version>/manifest.json    written last: a version without it is half a version, and nobody reads it
<name>/<version>/model.sig        its signature, where it is signed
<name>/<version>/<path>           the files
<name>/_claims/<version>          which files are being published under this name; empty once that is done
<name>/_times                     when versions came whole, as far as somebody looked; may be deleted at any time

No version's name begins with an underscore.
"""

from dataclasses import dataclass

from nocturne.domain.errors import ConfigurationError
from nocturne.domain.model import MANIFEST, SIGNATURE, check_version

LATEST = "latest"


@dataclass(frozen=True)
class Layout:
    """The paths of one model's blobs. Raises ConfigurationError for a name that cannot be a folder's."""

    name: str

    def __post_init__(self) -> None:
        try:
            check_version(self.name)
        except ValueError as error:
            fault = f"the model's name is {self.name!r}, expected letters, digits and . _ + - (100 at most)"
            raise ConfigurationError("the model store", [fault]) from error

    @property
    def latest(self) -> str:
        """The pointer."""
        return f"{self.name}/{LATEST}"

    @property
    def times(self) -> str:
        """What is remembered of when versions came whole."""
        return f"{self.name}/_times"

    @property
    def claims(self) -> str:
        """The folder of claims."""
        return f"{self.name}/_claims"

    def manifest(self, version: str) -> str:
        """A version's manifest."""
        return f"{self.name}/{version}/{MANIFEST}"

    def signature(self, version: str) -> str:
        """A version's signature."""
        return f"{self.name}/{version}/{SIGNATURE}"

    def file(self, version: str, path: str) -> str:
        """One file of a version."""
        return f"{self.name}/{version}/{path}"

    def claim(self, version: str) -> str:
        """The blob that keeps two people from publishing different files under one version's name."""
        return f"{self.claims}/{version}"


def is_version(name: str) -> bool:
    """Whether a folder of the store can be a version's."""
    try:
        check_version(name)
    except ValueError:
        return False
    return name != LATEST
