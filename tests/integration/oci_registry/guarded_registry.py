"""A real registry that believes a token server, with a base image in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry
from tests.integration.oci_registry.plain_base import push_plain_base
from tests.integration.oci_registry.token_authority import TokenAuthority, token_authority


@contextmanager
def guarded_registry(folder: Path) -> Iterator[tuple[TokenAuthority, LocalRegistry]]:
    """Run both. The image is `base:base`; nobody has any rights yet."""
    with local_registry(folder) as open_to_all:
        push_plain_base(open_to_all.url, "base")
    with token_authority(folder) as (server, auth), local_registry(folder, auth) as registry:
        yield server, registry
