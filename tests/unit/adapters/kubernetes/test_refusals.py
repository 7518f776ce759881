"""What the API server's answers mean: texts as Kubernetes 1.20 and later write them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from nocturne.adapters.kubernetes.refusals import Asked, Expired, FieldConflict, Invalid, Owner, Unauthorized, refusal
from nocturne.domain.errors import Broken, ConfigurationError, Conflict, Rejected

ASKED = Asked("patch", "deployments", "production", "https://cluster.example", "web")


def status(message: str, **more: Any) -> bytes:
    return json.dumps({"kind": "Status", "message": message, **more}).encode()


def test_lacking_verb() -> None:
    """A verb that the Role lacks is named with its resource and namespace, also when it is another than was asked for."""
    message = (
        'deployments.apps "web" is forbidden: User "system:serviceaccount:production:nocturne" cannot create resource "deployments"'
        ' in API group "apps" in the namespace "production"'
    )
    error = refusal(ASKED, 403, status(message))
    assert isinstance(error, Broken)
    assert "does not allow create on deployments.apps in namespace production" in error.message
    assert "the verb create on deployments.apps" in error.advice


def test_quota() -> None:
    """A quota that is used up is the machinery's, and no fault of the manifests."""
    error = refusal(ASKED, 403, status('services "web" is forbidden: exceeded quota: small, requested: services=1'))
    assert isinstance(error, Broken)
    assert "exceeded quota: small" in error.message


def test_policy() -> None:
    """What a policy of the cluster denies is the manifests' fault."""
    assert isinstance(refusal(ASKED, 403, status('admission webhook "policy.example" denied the request: no latest tag')), Invalid)


def test_unknown_caller() -> None:
    """A wrong or expired token says what was to be done with it, and can be told from other failures."""
    error = refusal(ASKED, 401, status("Unauthorized"))
    assert isinstance(error, Unauthorized)
    assert "patch deployments web in namespace production" in error.message


def test_missing_namespace() -> None:
    """A namespace that is not there is named, with the way to make it."""
    answer = status('namespaces "production" not found', details={"name": "production", "kind": "namespaces"})
    error = refusal(ASKED, 404, answer)
    assert isinstance(error, Broken)
    assert "found no namespace 'production'" in error.message
    assert "kubectl create namespace production" in error.advice


def test_field_conflict() -> None:
    """A conflict tells each field and its owner, a subresource's too."""
    causes = [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl-edit" using apps/v1', "field": ".spec.paused"},
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl" with subresource "scale" using apps/v1',
            "field": ".spec.replicas",
        },
    ]
    error = refusal(ASKED, 409, status("Apply failed with 2 conflicts", details={"causes": causes}))
    assert isinstance(error, FieldConflict)
    assert error.owners == (Owner("kubectl-edit", ".spec.paused"), Owner("kubectl", ".spec.replicas"))
    assert ".spec.paused (owned by kubectl-edit)" in error.message


def test_another_conflict() -> None:
    """A conflict about no field is one all the same."""
    error = refusal(ASKED, 409, status("the object has been modified"))
    assert isinstance(error, Conflict)
    assert not isinstance(error, FieldConflict)


def test_invalid() -> None:
    """Every cause of a refused object is kept."""
    causes = [
        {"field": "spec.selector", "message": "Required value"},
        {"field": "spec.replicas", "message": "must not be negative"},
    ]
    error = refusal(ASKED, 422, status("is invalid", details={"causes": causes}))
    assert isinstance(error, Invalid)
    assert error.faults == ("spec.selector: Required value", "spec.replicas: must not be negative")
    assert isinstance(error.blaming("m-1"), Rejected)


def test_unknown_field_of_an_old_server() -> None:
    """An unknown field is the manifests' fault, though a server before 1.21 answers 500."""
    message = "failed to create typed patch object: .spec.foo: field not declared in schema"
    error = refusal(ASKED, 500, status(message))
    assert isinstance(error, Invalid)
    assert error.faults == (message,)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_unwell_server(code: int) -> None:
    """A server that is overloaded or unwell says nothing about the release, also when it answers no JSON."""
    error = refusal(ASKED, code, b"try later")
    assert isinstance(error, Broken)
    assert f"the cluster at https://cluster.example does not answer: status {code}: try later" in error.message


def test_forgotten_version() -> None:
    """A version that is too old is told from other failures, for the way out is to list again."""
    assert isinstance(refusal(ASKED, 410, status("too old resource version")), Expired)


REVIEW = Asked("create", "selfsubjectaccessreviews", "production", "https://cluster.example")


@pytest.mark.parametrize(
    ("asked", "code", "body"),
    [
        (ASKED, 403, b"<html>the proxy says no</html>"),
        (ASKED, 400, b"Client sent an HTTP request to an HTTPS server."),
        (REVIEW, 400, b"Client sent an HTTP request to an HTTPS server."),
        (REVIEW, 422, status("is invalid")),
        (Asked("get", "/apis/policy/v1", "production", "https://cluster.example"), 403, status('User "x" cannot get path "/apis"')),
    ],
)
def test_something_between(asked: Asked, code: int, body: bytes) -> None:
    """What is no answer of an API server to an apply says nothing about the release."""
    error = refusal(asked, code, body)
    assert isinstance(error, Broken)
    assert "https://cluster.example" in error.message


def test_pull_secret() -> None:
    """What the cluster does not accept of the pull secret is the connection's fault, for the app brings none."""
    error = refusal(replace(ASKED, resource="secrets", name="pull"), 422, status("type: Invalid value: field is immutable"))
    assert isinstance(error, ConfigurationError)
    assert "the pull Secret pull in namespace production" in error.message
