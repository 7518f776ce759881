"""Registries that ask who is there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nocturne.adapters.oci_registry import Credentials, OciRegistry
from nocturne.domain.errors import Broken
from nocturne.ports.image_registry import AppendRequest
from tests.integration.oci_registry.local_registry import PASSWORD, USER, LocalRegistry, htpasswd_auth, local_registry
from tests.integration.oci_registry.token_authority import token_authority

pytestmark = pytest.mark.docker
RequestFor = Callable[..., AppendRequest]


@pytest.fixture(params=["basic", "token"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path, server: LocalRegistry, base_digest: str) -> Iterator[LocalRegistry]:
    """A registry with a login, on the data of the one without (so that the base image is there)."""
    (tmp_path / "data").symlink_to(server.data)
    if request.param == "basic":
        with local_registry(tmp_path, htpasswd_auth(tmp_path)) as running:
            yield running
    else:
        with token_authority(tmp_path) as (tokens, auth), local_registry(tmp_path, auth) as running:
            tokens.logins[USER], tokens.rights[USER] = PASSWORD, {"*": "pull,push"}
            yield running


def test_an_image_is_appended_behind_a_login(guarded: LocalRegistry, request_for: RequestFor):
    """Pulling, mounting from another repository and pushing all work with Basic and with tokens."""
    registry = OciRegistry(guarded.url, guarded.host, Credentials(USER, PASSWORD))
    appended = registry.append(request_for())
    assert f"{request_for().repository}@{registry.digest(f'{request_for().repository}:v1')}" == appended.image
    assert appended.moved_bytes < 10_000


@pytest.mark.parametrize("credentials", [None, Credentials(USER, "wrong-password")])
def test_a_stranger_is_told_so(guarded: LocalRegistry, credentials: Credentials | None):
    """Without the right password it is Broken, at once, and the password is not in the message."""
    pauses: list[float] = []
    with pytest.raises(Broken, match=r"asks for a user|refuses|401") as error:
        OciRegistry(guarded.url, guarded.host, credentials, pause=pauses.append).digest("base:base")
    assert "wrong-password" not in str(error.value)
    assert error.value.advice
    assert pauses == []
