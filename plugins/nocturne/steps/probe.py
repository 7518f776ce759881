"""Asking a running app whether it is the release that it should be, and whether it answers rightly."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from nocturne.domain.golden import GoldenSet, score_request, top_labels
from nocturne.domain.judgement import Judgement
from nocturne.domain.records import Release, Subject
from nocturne.ports.app_client import AppClient
from nocturne.steps.evaluate import golden_set, judgement_key
from nocturne.steps.world import World

_BATCH = 20
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Expected:
    """What the app must say. answers: the labels that the judged code and model gave for the golden set."""

    release_id: str
    model_digest: str
    golden: GoldenSet
    answers: tuple[str, ...]


@dataclass
class Findings:
    """What probing found so far. faults: sentences for the operator, each once."""

    requests: int = 0
    failed: int = 0
    faults: tuple[str, ...] = ()

    def note(self, fault: str) -> None:
        """Count a failed request, and remember what was wrong."""
        self.failed += 1
        if fault not in self.faults:
            self.faults = (*self.faults, fault)


def expected_of(world: World, release: Release) -> Expected:
    """What a release must answer: what it answered when it was judged."""
    inputs = release.inputs
    golden = golden_set(world, inputs)
    judged = world.ledger.recall(Subject.JUDGEMENT, judgement_key(inputs))
    answers = Judgement.from_dict(judged.details["judgement"]).answers if judged else golden.labels
    return Expected(release.id, inputs.model.digest, golden, answers)


def probe(client: AppClient, expected: Expected, findings: Findings) -> None:
    """Check identity and every golden answer once. Raises Broken when nothing answers at the address."""
    _check_version(client, expected, findings)
    answers = expected.answers
    for start, images in _batches(expected.golden):
        _check_answers(client, images, answers[start : start + _BATCH], findings)


def ask_all(client: AppClient, golden: GoldenSet) -> None:
    """Send the requests of `probe`, whatever the answers are. Raises Broken when nothing answers at the address."""
    client.get("/version")
    for _, images in _batches(golden):
        client.post("/score", score_request(images))


def probe_for(world: World, client: AppClient, expected: Expected, seconds: float) -> Findings:
    """Probe again and again for some time, at least once."""
    findings = Findings()
    end = world.clock.now() + timedelta(seconds=seconds)
    while True:
        probe(client, expected, findings)
        if findings.failed or world.clock.now() >= end:
            return findings
        world.clock.sleep(_PAUSE_SECONDS)


def _batches(golden: GoldenSet) -> Iterator[tuple[int, tuple[str, ...]]]:
    for start in range(0, len(golden.images), _BATCH):
        yield start, golden.images[start : start + _BATCH]


def _check_version(client: AppClient, expected: Expected, findings: Findings) -> None:
    findings.requests += 1
    answer = client.get("/version")
    if answer.status != 200 or not isinstance(answer.body, dict):
        findings.note(f"GET /version answered {answer.status}: {str(answer.body)[:200]}")
        return
    found = (answer.body.get("release"), answer.body.get("model_digest"))
    if found != (expected.release_id, expected.model_digest):
        findings.note(f"GET /version says {found}, expected {(expected.release_id, expected.model_digest)}")


def _check_answers(client: AppClient, images: tuple[str, ...], expected: tuple[str, ...], findings: Findings) -> None:
    findings.requests += 1
    answer = client.post("/score", score_request(images))
    if answer.status != 200:
        findings.note(f"POST /score answered {answer.status}: {str(answer.body)[:200]}")
        return
    try:
        found = top_labels(answer.body)
    except ValueError as error:
        findings.note(f"POST /score: {error}")
        return
    if tuple(found) != expected:
        wrong = sum(one != other for one, other in zip(found, expected, strict=False)) + abs(len(found) - len(expected))
        findings.note(f"POST /score gave {wrong} of {len(expected)} answers that differ from what was judged")
