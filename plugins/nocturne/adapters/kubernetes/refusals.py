"""What the API server's answers mean, as domain errors.

Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from nocturne.domain.errors import Broken, ConfigurationError, Conflict, NocturneError, Rejected

_LACKS = re.compile(r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"')
_LONGEST = 200
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]+)"')
_NOT_IN_SCHEMA = (
    "failed to create typed patch object",
    "field not declared in schema",
    "failed to create manager for",
    "failed to convert new object",
)
"""How a server before 1.21 begins to say that it cannot read an object, with status 500."""


@dataclass(frozen=True)
class Owner:
    """Who owns a field that was to be changed. field: its path, such as .spec.replicas."""

    manager: str
    field: str


class FieldConflict(Conflict):
    """Fields that were to be changed are owned by other managers; nothing was changed."""

    def __init__(self, message: str, *, advice: str = "", owners: tuple[Owner, ...] = ()) -> None:
        super().__init__(message, advice=advice)
        self.owners = owners


class Invalid(Rejected):
    """The API server does not accept an object; faults: every cause that it names."""

    def __init__(self, message: str, *, advice: str = "", culprits: tuple[str, ...] = (), faults: tuple[str, ...] = ()) -> None:
        super().__init__(message, advice=advice, culprits=culprits)
        self.faults = faults


class Expired(Broken):
    """The server has forgotten the version that a watch or a list was to go on from: list again."""


class Unauthorized(Broken):
    """The server does not know who asks: a token is wrong or has expired."""


@dataclass(frozen=True)
class Asked:
    """What was asked for, in the words of a Role. name: of the object, empty for all of a kind."""

    verb: str
    resource: str
    namespace: str
    host: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f' {self.name}' if self.name else ''} in namespace {self.namespace}"


def refusal(asked: Asked, status: int, body: bytes) -> NocturneError:
    """The error that an answer with such a status means."""
    answer = _status_object(body)
    message = str(answer.get("message") or body.decode(errors="replace").strip() or f"status {status}")
    details = answer.get("details") or {}
    if status == 401:
        return Unauthorized(
            f"{asked.host} does not know who asks ({message}); wanted to {asked}",
            advice="the token or certificate of the environment's connection is wrong or has expired: put in a new one",
        )
    if status == 403:
        return _forbidden(asked, message, answer)
    if status == 404 and details.get("kind") == "namespaces":
        return Broken(
            f"found no namespace {details.get('name', asked.namespace)!r} in the cluster at {asked.host}, expected it to exist",
            advice=f"create it (kubectl create namespace {asked.namespace}) with the Role of docs/kubernetes.md, or correct the"
            " connection's namespace",
        )
    if status == 409:
        return _conflict(asked, message, answer)
    if status == 410:
        return Expired(f"the cluster has forgotten that version: {message}", advice="list again")
    if answer and asked.verb == "patch" and (status in (400, 422) or any(sign in message for sign in _NOT_IN_SCHEMA)):
        return _invalid(asked, message, answer)
    if status >= 500 or status == 429:
        return Broken(
            f"the cluster at {asked.host} does not answer: status {status}: {message}", advice="see whether the API server is well"
        )
    return _unexpected(asked, status, message)


def _unexpected(asked: Asked, status: int, message: str) -> Broken:
    return Broken(
        f"found the answer {status} ({message[:_LONGEST]}) of {asked.host}, expected the cluster to {asked}",
        advice="see whether this is the API server's address, and no proxy or plain http between; then its version",
    )


def _forbidden(asked: Asked, message: str, answer: dict[str, Any]) -> NocturneError:
    lacks = _LACKS.search(message)
    if lacks:
        resource = f"{lacks['resource']}.{lacks['group']}" if lacks["group"] else lacks["resource"]
        return Broken(
            f"the cluster does not allow {lacks['verb']} on {resource} in namespace {asked.namespace}: {message}",
            advice=f"give the Role in namespace {asked.namespace} the verb {lacks['verb']} on {resource}, as docs/kubernetes.md has"
            " it; where the namespace does not exist, create it first",
        )
    if "exceeded quota" in message:
        return Broken(
            f"the quota of namespace {asked.namespace} is used up: {message}", advice="raise the quota, or free some of it"
        )
    if "being terminated" in message:
        return Broken(f"namespace {asked.namespace} is being deleted: {message}", advice="wait until it is gone and create it anew")
    # An admission rule of the cluster refuses an object; anything else is between the server and us.
    return _invalid(asked, message, answer) if answer and asked.verb == "patch" else _unexpected(asked, 403, message)


def _conflict(asked: Asked, message: str, answer: dict[str, Any]) -> NocturneError:
    causes = (answer.get("details") or {}).get("causes") or []
    owners = tuple(
        Owner(found["manager"], str(cause.get("field", "")))
        for cause in causes
        if cause.get("reason") == "FieldManagerConflict" and (found := _MANAGER.search(str(cause.get("message", ""))))
    )
    if owners:
        listing = ", ".join(f"{owner.field} (owned by {owner.manager})" for owner in owners)
        return FieldConflict(
            f"{asked.resource} {asked.name}: somebody else owns {listing}",
            advice='undo the change by hand, or let the environment correct it (drift = "correct")',
            owners=owners,
        )
    return Conflict(f"{asked.resource} {asked.name} changed while it was looked at: {message}", advice="run again")


def _invalid(asked: Asked, message: str, answer: dict[str, Any]) -> NocturneError:
    causes = (answer.get("details") or {}).get("causes") or []
    faults = tuple(f"{cause.get('field', '')}: {cause.get('message', '')}".removeprefix(": ") for cause in causes) or (message,)
    if asked.resource == "secrets":
        # The app brings none: it is the one that nodes pull with.
        where = f"the pull Secret {asked.name} in namespace {asked.namespace}"
        return ConfigurationError(where, [*faults, "remove the Secret, or give pull_secret of the connection another name"])
    return Invalid(
        f"the cluster does not accept {asked.resource} {asked.name}: {'; '.join(faults)}",
        advice="correct the app's manifests",
        faults=faults,
    )


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) and answer.get("kind") == "Status" else {}
