import pytest

from nocturne.adapters.oci_registry.challenge import Challenge, parse_challenges

DOCKER_HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull"'
TWO_SCOPES = (
    'Bearer realm="https://tokens.test/auth?x=1",service="registry.test",scope="repository:app:pull,push repository:b:pull"'
)


def test_docker_hubs_challenge_is_read():
    """The parameters are as the token server needs them."""
    (challenge,) = parse_challenges([DOCKER_HUB])
    assert challenge.scheme == "bearer"
    assert challenge.parameters == {
        "realm": "https://auth.docker.io/token",
        "service": "registry.docker.io",
        "scope": "repository:library/busybox:pull",
    }


def test_a_challenge_is_read_with_all_its_parameters():
    """A scope with commas and spaces is one parameter."""
    (challenge,) = parse_challenges([TWO_SCOPES])
    assert challenge.scheme == "bearer"
    assert challenge.parameters["scope"] == "repository:app:pull,push repository:b:pull"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            'Bearer realm="https://a/t?x=1,2",scope="repository:a:pull,push", Basic realm="r e"',
            [("bearer", "https://a/t?x=1,2"), ("basic", "r e")],
        ),
        ("Negotiate, Basic realm=plain", [("negotiate", None), ("basic", "plain")]),
        ('NTLM abc==, bearer realm="q"', [("ntlm", None), ("bearer", "q")]),
        (r'Basic  realm = "a \"b\""  , charset="UTF-8"', [("basic", 'a "b"')]),
        (',,Basic realm="x"', [("basic", "x")]),
        ("", []),
        ('realm="nobody asks"', []),
    ],
)
def test_a_list_of_challenges_is_read(header: str, expected: list[tuple[str, str | None]]):
    """Commas part challenges and parameters alike, but not what is quoted (RFC 9110, section 11.6.1)."""
    assert [(found.scheme, found.parameters.get("realm")) for found in parse_challenges([header])] == expected


def test_several_headers_are_one_list():
    """Registries that offer two ways may send two headers."""
    found = parse_challenges(['Basic realm="x"', 'Bearer realm="y",error="insufficient_scope"'])
    assert found == [Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y", "error": "insufficient_scope"})]


def test_a_header_without_sense_ends():
    """What cannot be read is left out, without an endless search."""
    assert parse_challenges(['Bearer realm="unfinished', "@@@ ((", '"']) == [Challenge("bearer", {})]
