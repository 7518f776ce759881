"""A ledger with something in every table."""

from datetime import timedelta

from nocturne.adapters.sql_ledger import SqlLedger
from nocturne.domain.records import Cause, Deployment, Evidence, Subject
from nocturne.domain.states import DeploymentState
from tests.fakes.inputs import some_inputs


def remember(ledger: SqlLedger, number: int) -> Deployment:
    """One night: a release, what was learned of it, its deployment, and what operators did. Several differ by their number."""
    release = ledger.open_release(some_inputs(code=f"code {number}"), {"web.yaml": "größe: '1'\n"})
    for key in ("Zebra", "apple", "ätna"):  # which a dictionary sorts in another order than their bytes
        learned = Evidence(
            Subject.TESTS, f"{key} {number}", number % 2 == 0, "run", "2026-11-20T02:00:00Z", {"b": [0.1, None], "a": "ü"}
        )
        ledger.evidence(learned)
    deployment = ledger.open_deployment(release.id, "production", f"run-{number}", Cause.NIGHT, "schedule", "nightly")
    ledger.quarantine(f"r-{number}", "its tests fail: \0 and \udcff were printed", "run")
    ledger.hold("production", "ada", f"reason {number}")
    ledger.lease(f"environment-{number}", "run", timedelta(minutes=1))
    return ledger.move_deployment(deployment.id, DeploymentState.ROLLING_OUT)
