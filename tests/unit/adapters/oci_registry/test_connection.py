import httpx
import pytest

from nocturne.adapters.oci_registry.connection import Connection
from nocturne.adapters.oci_registry.credentials import Credentials
from nocturne.domain.errors import Broken
from tests.unit.adapters.oci_registry.fake_registry import FakeRegistry

CHALLENGE = 'Bearer realm="http://registry.test/v2/tokens/blobs/x",scope="repository:app:pull,push"'


def guarded(status: int, challenge: str, granted: str = "opens") -> tuple[FakeRegistry, Connection]:
    """A registry that answers with this challenge to whoever has no token `opens`, and whose tokens are `granted`."""

    def trouble(request: httpx.Request) -> httpx.Response | None:
        if "tokens" in request.url.path:
            return httpx.Response(200, json={"token": granted})
        if request.headers.get("Authorization") == "Bearer opens":
            return httpx.Response(202)
        return httpx.Response(status, headers={"WWW-Authenticate": challenge})

    fake = FakeRegistry(trouble=trouble)
    return fake, Connection("http://registry.test", Credentials("us", "secret-1"), 5, fake)


@pytest.mark.parametrize(("status", "challenge"), [(401, CHALLENGE), (403, f'{CHALLENGE},error="insufficient_scope"')])
def test_a_token_that_allows_too_little_is_replaced(status: int, challenge: str):
    """Registries say it with 401, and with 403 where they keep to RFC 6750."""
    fake, connection = guarded(status, challenge)
    connection.send("POST", "/v2/app/blobs/uploads/", repository="app", expect=(202,))
    assert [request.method for request in fake.requests] == ["POST", "GET", "POST"]


def test_a_plain_403_is_final():
    """A registry that forbids something asks for no other token."""
    fake, connection = guarded(403, CHALLENGE)
    with pytest.raises(Broken, match="answers 403"):
        connection.send("POST", "/v2/app/blobs/uploads/", repository="app", expect=(202,))
    assert len(fake.requests) == 1


def test_a_second_401_is_final():
    """A token that does not help is not asked for again and again."""
    fake, connection = guarded(401, CHALLENGE, granted="does not open")
    with pytest.raises(Broken, match="answers 401") as error:
        connection.send("POST", "/v2/app/blobs/uploads/", repository="app", expect=(202,))
    assert len(fake.requests) == 3
    assert "AcrPush" in error.value.advice
