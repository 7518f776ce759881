"""What the ledger remembers. Times are RFC 3339 in UTC."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nocturne.domain.inputs import Inputs
from nocturne.domain.states import DeploymentState, ReleaseState


@dataclass(frozen=True)
class Release:
    """Frozen inputs and what came of them. manifests: path to text, as recorded for rolling back.

    image: the release image by digest (`host/repository@sha256:...`), empty until it was tried. reason: why it was rejected, or why
    it keeps the model of the release before it.
    """

    id: str
    inputs: Inputs
    manifests: dict[str, str]
    created_at: str
    state: ReleaseState = ReleaseState.CANDIDATE
    image: str = ""
    reason: str = ""


class Cause(StrEnum):
    """Why a deployment happens."""

    NIGHT = "night"
    ROLLBACK = "rollback"
    RESTORE = "restore"


@dataclass(frozen=True)
class Deployment:
    """One release moving into one environment. There is one for each (run_id, environment, cause).

    requested_by: the person or schedule that started the run. reason: what the run or the person said of it.
    """

    id: int
    release_id: str
    environment: str
    run_id: str
    cause: Cause
    requested_by: str
    state: DeploymentState
    reason: str
    started_at: str
    changed_at: str


@dataclass(frozen=True)
class Change:
    """One change of a deployment's state. deployment: as it is now. at: RFC 3339, UTC, by the clock of who made the change."""

    deployment: Deployment
    at: str
    state: DeploymentState


class Subject(StrEnum):
    """What a piece of evidence is about, and so what its key is made of."""

    TESTS = "tests"  # code tree
    JUDGEMENT = "judgement"  # code tree + model digest
    CODE_IMAGE = "code image"  # code tree + base image digest
    IMAGE = "release image"  # release id + base image digest + digest of release.json
    TRIAL = "trial"  # release image digest
    BLOB = "blob"  # connection + blob + its ETag or version id: the digest of what is in it
    SIGNATURE = "signature"  # model digest + digest of the signature + digest of the keys: who signed
    INSPECTION = "inspection"  # model digest: what a look into the file found
    KEPT_MODEL = "kept model"  # run id + id of the release that it froze: the one that it goes on with, and why
    SHADOW = "shadow"  # release image digest: answers to kept requests, beside the live release's


@dataclass(frozen=True)
class Evidence:
    """Something that was learned once and need not be learned again. details: JSON values."""

    subject: Subject
    key: str
    passed: bool
    run_id: str
    recorded_at: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Quarantine:
    """A release id, model digest or code tree that was rejected, and why."""

    id: str
    reason: str
    run_id: str
    since: str


@dataclass(frozen=True)
class Hold:
    """An operator's stop sign on an environment."""

    environment: str
    by: str
    reason: str
    since: str


@dataclass(frozen=True)
class Lease:
    """Who may deploy into an environment, until when."""

    environment: str
    run_id: str
    expires_at: str
