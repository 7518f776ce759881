"""What `nocturne releases show` tells of a release's model and of the verdicts on it."""

import dataclasses
import json
from typing import Any

import pytest

from nocturne.cli.verdicts import in_words, signer, verdicts
from nocturne.domain.digest import of_bytes
from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.steps.evaluate import judgement_key
from tests.fakes.inputs import some_inputs
from tests.fakes.world import FakeWorld
from tests.unit.cli.shell import Shell

WHEN = "2026-11-20T02:00:00+00:00"
IMAGE = "registry/digits@sha256:0"
JUDGED = {
    "judgement": {"accuracy": 0.975, "recall": {"1": {"samples": 10, "right": 10}, "7": {"samples": 10, "right": 9}}},
    "verdict": "unclear",
    "objections": [],
    "unclear": "that may be chance",
    "contest": {"lost": 3, "won": 1, "samples": 20, "drop": 0.1, "p": 0.3125},
    "changed": {"count": 4, "examples": []},
}


def learned(subject: Subject, key: str = "", passed: bool = True, **details: Any) -> Evidence:
    return Evidence(subject, key, passed, "nightly/1", WHEN, details)


@pytest.fixture
def inputs() -> Inputs:
    """Those of a signed model with metrics."""
    plain = some_inputs()
    model = dataclasses.replace(plain.model, signature="a signature", metrics={"accuracy": 0.98, "held_out": 200})
    return dataclasses.replace(plain, model=model)


@pytest.fixture
def release(fakes: FakeWorld, inputs: Inputs) -> Release:
    """A release of which everything is known."""
    ledger = fakes.ledger
    found = ledger.open_release(inputs, {})
    ledger.set_image(found.id, IMAGE)
    digest = inputs.model.digest
    for item in (
        learned(Subject.TESTS, inputs.code.tree, failed=[]),
        learned(Subject.SIGNATURE, f"{digest}+{of_bytes(b'a signature')}+keys", signer="ada"),
        learned(Subject.INSPECTION, digest, faults=[]),
        learned(Subject.JUDGEMENT, judgement_key(inputs), **JUDGED),
        learned(Subject.TRIAL, IMAGE, seconds_to_ready=1.25),
        learned(Subject.SHADOW, IMAGE, kept=50, different=3),
    ):
        ledger.evidence(item)
    return found


def test_the_record_for_scripts(release: Release, shell: Shell) -> None:
    """Model, signer, metrics and every verdict with its numbers."""
    found = json.loads(shell.call("releases", "show", release.id, "--json")[1])
    assert (found["model_version"], found["model_digest"]) == (release.inputs.model.version, release.inputs.model.digest)
    assert (found["signer"], found["metrics"]) == ("ada", {"accuracy": 0.98, "held_out": 200})
    assert list(found["verdicts"]) == ["tests", "inspection", "judgement", "trial", "shadow"]
    judgement = found["verdicts"]["judgement"]
    expected = {"accuracy": 0.975, "lowest_recall": 0.9, "lowest_recall_label": "7", "p_value": 0.3125, "changed_answers": 4}
    assert {name: judgement[name] for name in expected} == expected
    assert (judgement["passed"], judgement["verdict"], judgement["run"]) == (True, "unclear", "nightly/1")
    assert found["verdicts"]["trial"]["seconds_to_ready"] == 1.25
    shadow = found["verdicts"]["shadow"]
    assert (shadow["kept"], shadow["different"], "passed" in shadow) == (50, 3, False)


def test_the_record_for_people(release: Release, shell: Shell) -> None:
    """The same in words."""
    _, out, _ = shell.call("releases", "show", release.id)
    told = " ".join(out.split())
    for fact in (
        "signed by ada",
        "metrics accuracy 0.98, held_out 200",
        "inspection good, 2026-11-20 02:00:00 UTC, run nightly/1",
        "judgement unclear, 2026-11-20 02:00:00 UTC, run nightly/1: accuracy 97.50%, lowest recall 90.00% (7), "
        "p = 0.31 for worse than the live release, 4 answers changed, that may be chance",
        "trial good, 2026-11-20 02:00:00 UTC, run nightly/1: ready after 1.2 s",
        "shadow of 50 kept requests 3 are answered differently",
    ):
        assert fact in told


@pytest.mark.parametrize(
    ("signature", "told"),
    [("a signature", "yes, but nobody asked by whom"), ("forged", "yes, but the signature does not hold"), ("", "no")],
)
def test_a_model_whose_signer_is_not_known(fakes: FakeWorld, shell: Shell, inputs: Inputs, signature: str, told: str) -> None:
    """A signature that nobody looked at, or that does not hold, names nobody, whoever signed the same model elsewhere."""
    for text, who in (("another", "ada"), ("forged", "")):
        key = f"{inputs.model.digest}+{of_bytes(text.encode())}+keys"
        fakes.ledger.evidence(learned(Subject.SIGNATURE, key, passed=bool(who), signer=who))
    unknown = dataclasses.replace(inputs, model=dataclasses.replace(inputs.model, signature=signature))
    release = fakes.ledger.open_release(unknown, {})
    assert f"signed {told}" in " ".join(shell.call("releases", "show", release.id)[1].split())
    assert json.loads(shell.call("releases", "show", release.id, "--json")[1])["signer"] is None


def test_what_was_refused_says_why() -> None:
    """Faults and objections are listed, the first few and each in a line."""
    found = dict(
        in_words(
            [
                learned(Subject.INSPECTION, passed=False, faults=["one\nmore", "two", "three", "four", "five"]),
                learned(Subject.JUDGEMENT, passed=False, objections=["accuracy is low"], blame={"told": "to blame is the model"}),
                learned(Subject.TESTS, passed=False, failed=["FAILED test_x"]),
            ]
        )
    )
    assert found["inspection"].endswith(": one, two, three, and 2 more")
    assert found["judgement"].startswith("bad, ")
    assert found["judgement"].endswith(": accuracy is low, to blame is the model")
    assert found["tests"].endswith(": FAILED test_x")


@pytest.mark.parametrize("subject", list(Subject))
@pytest.mark.parametrize(
    "details",
    [
        {},
        {"judgement": None, "objections": None, "faults": "x", "kept": "many", "seconds_to_ready": True, "signer": 7},
        {"judgement": {"accuracy": None, "recall": {"7": {"right": 0, "samples": 0}, "8": []}}, "contest": [], "changed": {}},
    ],
)
def test_what_older_versions_recorded(subject: Subject, details: dict[str, Any]) -> None:
    """Missing and odd details are left out; nothing fails, in words or in values."""
    evidence = [learned(subject, **details)]
    assert signer(evidence) is None
    json.dumps(verdicts(evidence))
    assert all("None" not in told for _, told in in_words(evidence))
