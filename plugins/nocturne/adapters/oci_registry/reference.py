"""Names of images, as a registry understands them.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
"""

import re
from dataclasses import dataclass

from nocturne.domain import digest
from nocturne.domain.errors import Rejected

_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """An image without its registry's host. version: a tag or a digest."""

    repository: str
    version: str

    @property
    def by_digest(self) -> bool:
        """Whether the reference can only ever mean one image."""
        return ":" in self.version

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.by_digest else ':'}{self.version}"


def parse(text: str) -> Reference:
    """Read `repository:tag` or `repository@sha256:...`. Raises Rejected for anything else."""
    name, at, version = text.partition("@")
    if not at:
        name, _, version = text.rpartition(":")
        return Reference(check_repository(name), check_tag(version))
    try:
        return Reference(check_repository(name), digest.check(version))
    except ValueError as error:
        raise _malformed(text, "an image's digest", "sha256: and 64 hexadecimal digits") from error


def check_repository(name: str) -> str:
    """`name` itself when a registry can have a repository called so, else Rejected."""
    if not _REPOSITORY.fullmatch(name):
        raise _malformed(name, "a repository", "lower-case letters, digits and . _ - between slashes, without the registry's host")
    return name


def check_tag(tag: str) -> str:
    """`tag` itself when it can be a tag, else Rejected."""
    if not _TAG.fullmatch(tag):
        raise _malformed(tag, "a tag", "letters, digits and . _ - (128 at most)")
    return tag


def _malformed(found: str, what: str, expected: str) -> Rejected:
    return Rejected(f"{found!r} cannot name {what}: expected {expected}", advice="correct the image's name in the configuration")
