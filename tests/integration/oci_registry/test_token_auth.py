"""Registries whose token server knows rights, as Docker Hub, GHCR and Harbor have one."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nocturne.adapters.oci_registry import Credentials, OciRegistry
from nocturne.domain.errors import Broken
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.integration.oci_registry.guarded_registry import guarded_registry
from tests.integration.oci_registry.local_registry import LocalRegistry
from tests.integration.oci_registry.token_authority import TokenAuthority

US = Credentials("nightly", "correct horse")
RIGHTS = {"base": "pull", "app": "pull,push"}


@pytest.fixture(scope="session")
def _prepared() -> None:
    """Unlike its namesake for the whole folder: no container engine is needed here."""


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[TokenAuthority, LocalRegistry]]:
    """A token server with a registry that believes it, and a user who may release."""
    with guarded_registry(tmp_path) as (server, registry):
        server.logins[US.username] = US.password
        server.rights[US.username] = dict(RIGHTS)
        yield server, registry


@pytest.fixture
def tokens(authority: tuple[TokenAuthority, LocalRegistry]) -> TokenAuthority:
    return authority[0]


@pytest.fixture
def guarded(authority: tuple[TokenAuthority, LocalRegistry]) -> LocalRegistry:
    return authority[1]


def adapter(guarded: LocalRegistry, credentials: Credentials | None = US, **options) -> OciRegistry:
    def no_pause(seconds: float) -> None:
        pytest.fail(f"paused for {seconds} s, expected no second try")

    return OciRegistry(guarded.url, guarded.host, credentials, pause=no_pause, **options)


def release(content: bytes = b"weights") -> AppendRequest:
    return AppendRequest(
        base="base:base",
        repository="app",
        layers=((LayerFile("/model/model.onnx", content),),),
        labels={},
        annotations={},
        tags=("v1",),
        created="2026-11-20T02:00:00Z",
    )


def test_tokens_are_asked_for_what_is_done_and_no_more(tokens: TokenAuthority, guarded: LocalRegistry):
    """Reading the base needs pull of the base; writing the app needs both of the app, and pull of the base to mount from it."""
    appended = adapter(guarded).append(release())
    assert adapter(guarded).digest("app:v1") == appended.image.removeprefix("app@")
    reading, writing, looking = tokens.scopes
    assert reading == ["repository:base:pull"]
    assert sorted(writing) == ["repository:app:pull,push", "repository:base:pull"]
    assert looking == ["repository:app:pull"]


def test_a_token_is_used_until_it_expires(tokens: TokenAuthority, guarded: LocalRegistry):
    """Ten questions about one repository cost one token."""
    registry = adapter(guarded)
    for _ in range(10):
        registry.digest("base:base")
    assert len(tokens.scopes) == 1


@pytest.mark.parametrize("told", [4, None])
def test_a_short_lived_token_is_renewed_beforehand(tokens: TokenAuthority, guarded: LocalRegistry, told: int | None):
    """Whether the server says when it ends, or the token does, the registry never sees an old one."""
    tokens.told, tokens.seconds = told, 64
    registry = adapter(guarded)
    registry.digest("base:base")
    time.sleep(2.5)
    registry.digest("base:base")
    assert len(tokens.scopes) == 2
    # The very first request never brings a token.
    assert refusals(guarded, "HEAD /v2/base/manifests/") == 1


def refusals(guarded: LocalRegistry, request: str) -> int:
    """How often the registry has answered 401 to requests that begin like this."""
    return sum(f'"{request}' in line and '" 401 ' in line for line in guarded.log.read_text().splitlines())


def test_a_token_that_ends_in_mid_upload_is_replaced(tokens: TokenAuthority, guarded: LocalRegistry):
    """The upload is taken up again with a new one, from its beginning, although its server said that it would do."""
    tokens.seconds = 3

    class SlowOnce(httpx.HTTPTransport):
        slept = False

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT" and not self.slept:
                self.slept = True
                # The next token is one that lasts, however slow this machine is.
                tokens.seconds = 300
                time.sleep(5)
            return super().handle_request(request)

    content = secrets.token_bytes(8 << 20)
    appended = adapter(guarded, transport=SlowOnce()).append(release(content))
    assert appended.moved_bytes > len(content)
    assert refusals(guarded, "PUT /v2/app/blobs/uploads/") == 1


def test_a_user_who_may_not_push_is_told_what_is_lacking(tokens: TokenAuthority, guarded: LocalRegistry):
    """The message has what was asked for and what was given, and nothing was tried twice."""
    tokens.rights[US.username]["app"] = "pull"
    with pytest.raises(Broken, match=r"asked its token server to .*pull and push app.* and may .*pull app") as error:
        adapter(guarded).append(release())
    assert "writing for the app's" in error.value.advice
    assert US.password not in str(error.value)


def test_a_user_who_may_not_read_the_base_is_told_so(tokens: TokenAuthority, guarded: LocalRegistry):
    """Rights on the app are not rights on the base."""
    del tokens.rights[US.username]["base"]
    with pytest.raises(Broken, match="asked its token server to pull base, and may nothing"):
        adapter(guarded).append(release())


def test_a_wrong_password_is_told_in_the_servers_words(guarded: LocalRegistry):
    """Docker Hub writes `details`; the password itself is in no message."""
    with pytest.raises(Broken, match=r"refuses the user 'nightly'.*incorrect username or password") as error:
        adapter(guarded, Credentials("nightly", "battery staple")).digest("base:base")
    assert "battery" not in str(error.value)


def test_anybody_reads_what_is_public_and_writes_nothing(tokens: TokenAuthority, guarded: LocalRegistry):
    """Without a password there are tokens, too: for what everybody may do."""
    tokens.rights[""] = {"base": "pull"}
    registry = adapter(guarded, None)
    assert registry.digest("base:base")
    with pytest.raises(Broken, match=r"push app.*may pull base"):
        registry.append(release())
    assert tokens.basics == 0


def test_credentials_of_the_moment_are_asked_for_each_token(tokens: TokenAuthority, guarded: LocalRegistry):
    """A password that was changed meanwhile is taken up by a registry that is open already."""
    current = [Credentials("nightly", "not yet known")]
    registry = OciRegistry(guarded.url, guarded.host, lambda: current[0])
    with pytest.raises(Broken, match="refuses"):
        registry.digest("base:base")
    current[0] = US
    assert registry.digest("base:base")
