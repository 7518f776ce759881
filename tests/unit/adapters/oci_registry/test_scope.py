from nocturne.adapters.oci_registry.scope import Scope, parse_access, parse_scope, scope_of, writing


def test_a_scope_is_read_and_written_again():
    """Names with slashes, and with the port of a host, stay whole."""
    text = "repository:team/app:pull,push repository:host:5000/base:pull"
    assert " ".join(parse_scope(text).items()) == text


def test_only_pull_and_push_of_repositories_are_asked_for():
    """A registry that names more gets a token for no more than that."""
    assert parse_scope("registry:catalog:* repository:app:pull,delete repository:other:delete").items() == ["repository:app:pull"]


def test_every_action_means_the_two_that_we_know():
    """`*` is not passed on."""
    assert parse_scope("repository:app:*").items() == ["repository:app:pull,push"]


def test_two_scopes_become_one():
    """Nothing is asked for twice, and pull comes first."""
    merged = parse_scope("repository:app:push") | parse_scope("repository:app:pull repository:base:pull")
    assert merged.items() == ["repository:app:pull,push", "repository:base:pull"]
    assert str(merged) == "pull and push app, pull base"


def test_what_a_request_needs_follows_from_its_method():
    """Reading needs pull; everything else both; a mount also pull of where the blob comes from."""
    assert scope_of("HEAD", "app", None).items() == ["repository:app:pull"]
    assert scope_of("PUT", "app", None).items() == ["repository:app:pull,push"]
    assert scope_of("POST", "app", "base") == writing("app", "base")


def test_a_base_in_the_same_repository_needs_no_scope_of_its_own():
    """One repository is one item."""
    assert writing("app", "app").items() == ["repository:app:pull,push"]


def test_what_a_token_grants_is_read_from_its_claim():
    """An item without actions grants nothing, and a claim of another shape says nothing."""
    access = [{"type": "repository", "name": "app", "actions": ["pull"]}, {"type": "repository", "name": "b", "actions": []}]
    assert parse_access(access).items() == ["repository:app:pull"]
    assert [parse_access(odd) for odd in (None, {}, ["x"], [{"type": "repository"}])] == [Scope()] * 4
