import base64
from dataclasses import dataclass, field

import httpx
import pytest

from nocturne.adapters.oci_registry.authorization import Authorization
from nocturne.adapters.oci_registry.credentials import Credentials
from nocturne.adapters.oci_registry.retry import Transient
from nocturne.adapters.oci_registry.scope import scope_of
from nocturne.adapters.oci_registry.token_server import Token
from nocturne.domain.errors import Broken

ORIGIN = httpx.URL("https://registry.test")
US = Credentials("nightly", "secret-1")
CHALLENGE = 'Bearer realm="https://tokens.test/auth?x=1",service="registry.test",scope="repository:app:pull,push repository:b:pull"'


@dataclass
class TokenServer(httpx.BaseTransport):
    """Hands out numbered tokens, or what `answer` says."""

    answer: httpx.Response | None = None
    lifetime: int | None = 300
    requests: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        token = {"token": f"token-{len(self.requests)}"}
        return self.answer or httpx.Response(200, json=token | ({"expires_in": self.lifetime} if self.lifetime else {}))


@dataclass
class Time:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def authorization(server: TokenServer, credentials: Credentials | None = US, time: Time | None = None) -> Authorization:
    return Authorization(httpx.Client(transport=server), ORIGIN, credentials, time or Time())


def header(found: httpx.Auth | None, url: str = "https://registry.test/v2/") -> str | None:
    if found is None:
        return None
    return next(found.sync_auth_flow(httpx.Request("GET", url))).headers["Authorization"]


def test_nothing_is_sent_before_the_registry_asks():
    """A registry without a login never sees the credentials."""
    assert authorization(TokenServer()).auth(ORIGIN, "app") is None


def test_a_token_is_asked_for_with_service_and_every_scope():
    """The token server gets what the registry named, its own query kept, and the user by Basic."""
    server = TokenServer()
    found = authorization(server)
    found.answer([CHALLENGE], "app")
    asked = server.requests[0]
    assert asked.url.params.multi_items() == [
        ("x", "1"),
        ("scope", "repository:app:pull,push"),
        ("scope", "repository:b:pull"),
        ("service", "registry.test"),
    ]
    assert base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")) == b"nightly:secret-1"
    assert header(found.auth(ORIGIN, "app")) == "Bearer token-1"
    assert found.auth(ORIGIN, "other") is None


def test_a_token_without_a_password_is_asked_for_anonymously():
    """Public registries hand out tokens to anybody."""
    server = TokenServer()
    authorization(server, None).answer([CHALLENGE], "app")
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize(("lifetime", "seconds"), [(300, 296), (None, 56)])
def test_a_token_is_renewed_shortly_before_its_end(lifetime: int | None, seconds: float):
    """A long upload does not begin with a token that is about to expire; without a word it lives for 60 s."""
    server, time = TokenServer(lifetime=lifetime), Time()
    found = authorization(server, time=time)
    found.answer([CHALLENGE], "app")
    time.now = seconds - 2
    assert header(found.auth(ORIGIN, "app")) == "Bearer token-1"
    time.now = seconds
    assert header(found.auth(ORIGIN, "app")) == "Bearer token-2"


@pytest.mark.parametrize("url", ["https://elsewhere.test/x", "http://registry.test/x", "https://registry.test:444/x"])
def test_other_hosts_get_neither_token_nor_password(url: str):
    """An upload that is sent to another address goes there without our login."""
    found = authorization(TokenServer())
    found.answer([CHALLENGE], "app")
    found.answer(['Basic realm="x"'], "app")
    assert found.auth(httpx.URL(url), "app") is None


def test_basic_is_answered_with_user_and_password():
    """After a Basic challenge every request carries them."""
    found = authorization(TokenServer())
    found.answer(['Basic realm="x"'], "app")
    assert header(found.auth(ORIGIN, "app")) == "Basic bmlnaHRseTpzZWNyZXQtMQ=="


@pytest.mark.parametrize(
    ("challenge", "credentials", "message"),
    [
        ('Basic realm="x"', None, "asks for a user and a password"),
        ('Negotiate realm="x"', US, "asks for negotiate"),
        ('Bearer service="x"', US, "no realm"),
        ('Bearer realm="http://tokens.test/"', US, "in the clear"),
    ],
)
def test_what_cannot_be_answered_is_broken(challenge: str, credentials: Credentials | None, message: str):
    """The message says what the registry wants that we do not have, or will not give."""
    with pytest.raises(Broken, match=message):
        authorization(TokenServer(), credentials).answer([challenge], "app")


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (httpx.Response(401), Broken, "refuses the user 'nightly'"),
        (httpx.Response(404), Broken, "answers 404"),
        (httpx.Response(503), Transient, "answers 503"),
        (httpx.Response(200, content=b"<html>"), Broken, "without a token"),
        (httpx.Response(200, json={}), Broken, "without a token"),
    ],
)
def test_a_token_server_that_gives_none_is_an_error_without_the_password(answer: httpx.Response, kind: type[Broken], message: str):
    """Refused is told from away, and no message has the password."""
    with pytest.raises(kind, match=message) as error:
        authorization(TokenServer(answer)).answer([CHALLENGE], "app")
    assert "secret-1" not in str(error.value)


def test_neither_password_nor_token_shows_in_a_log():
    """Values that are printed by accident do not give the secret away."""
    assert "secret-1" not in repr(US)
    assert "token-1" not in repr(Token("token-1", 60.0, None))


def test_a_refresh_token_goes_to_the_token_server_as_oauth2_has_it():
    """It is in the form of a POST, and neither in an address nor in a header."""
    server = TokenServer(httpx.Response(200, json={"access_token": "opens"}))
    found = authorization(server, Credentials("0000", "refresh-1", refresh_token=True))
    found.answer([CHALLENGE], "app")
    (asked,) = server.requests
    assert (asked.method, "refresh" in str(asked.url), "Authorization" in asked.headers) == ("POST", False, False)
    assert dict(httpx.QueryParams(asked.content.decode())) == {
        "grant_type": "refresh_token",
        "client_id": "nocturne",
        "scope": "repository:app:pull,push repository:b:pull",
        "service": "registry.test",
        "refresh_token": "refresh-1",
    }
    assert header(found.auth(ORIGIN, "app")) == "Bearer opens"


def test_a_refused_refresh_token_is_broken_with_the_reason():
    """OAuth2 says 400 where others say 401."""
    server = TokenServer(httpx.Response(400, json={"error": "invalid_grant", "error_description": "expired"}))
    with pytest.raises(Broken, match=r"refuses the user '0000'.*invalid_grant; expired"):
        authorization(server, Credentials("0000", "refresh-1", refresh_token=True)).answer([CHALLENGE], "app")


def test_credentials_may_be_those_of_the_moment():
    """A function is asked for each token anew."""
    server, passwords = TokenServer(), iter(["one", "two"])
    found = Authorization(httpx.Client(transport=server), ORIGIN, lambda: Credentials("us", next(passwords)), Time())
    found.answer([CHALLENGE], "app")
    found.answer([CHALLENGE], "b")
    sent = [base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")) for asked in server.requests]
    assert sent == [b"us:one", b"us:two"]


def test_a_challenge_without_a_scope_is_answered_with_what_the_request_needs():
    """Some registries leave it to the client."""
    server = TokenServer()
    authorization(server).answer(['Bearer realm="https://tokens.test/"'], "app", scope_of("POST", "app", "base"))
    assert server.requests[0].url.params.get_list("scope") == ["repository:app:pull,push", "repository:base:pull"]


def test_a_repository_that_the_registry_calls_otherwise_is_asked_for_by_its_name():
    """Our name for it would be another repository there."""
    server = TokenServer()
    challenge = 'Bearer realm="https://tokens.test/",scope="repository:library/app:pull"'
    authorization(server).answer([challenge], "app", scope_of("GET", "app", None))
    assert server.requests[0].url.params.get_list("scope") == ["repository:library/app:pull"]


def test_reading_after_writing_keeps_the_right_to_write():
    """A second token for the same repository allows what the first did."""
    server = TokenServer()
    found = authorization(server)
    for actions in ("pull,push", "pull"):
        found.answer([f'Bearer realm="https://tokens.test/",scope="repository:app:{actions}"'], "app")
    assert server.requests[1].url.params["scope"] == "repository:app:pull,push"


def test_bearer_goes_before_basic():
    """A registry that takes both gets no password."""
    found = authorization(TokenServer())
    found.answer(['Basic realm="x", Bearer realm="https://tokens.test/"'], "app")
    assert header(found.auth(ORIGIN, "app")) == "Bearer token-1"
