"""Run the app's own tests, at the frozen commit, in the app's own environment."""

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.steps.checkout import checked_out
from nocturne.steps.memory import recall, remember
from nocturne.steps.world import Outcome, Run, World

_KEPT_LINES = 60


def test_code(world: World, run: Run, release: Release) -> Outcome:
    """Skipped where this tree passed before. Raises Rejected naming the failing tests."""
    code = release.inputs.code
    known = recall(world, run, Subject.TESTS, code.tree)
    if known and known.passed:
        return Outcome(f"tests passed for tree {code.tree[:12]} on {known.recorded_at[:10]} (run {known.run_id})", skipped=True)
    # What failed in another run was in quarantine since: whoever got here has lifted it, and wants it tried again.
    if known and known.run_id == run.id:
        raise _rejection(known.details["failed"], code.tree)
    gates = world.configuration.tests
    with checked_out(world, code.commit) as app:
        world.log(f"running {' '.join(gates.command)} in the app's own environment")
        finished = world.environment.run(app, gates.command, timeout=gates.timeout_seconds, log=world.log)
    lines = finished.output.splitlines()
    failed = _failed_tests(lines, finished.exit_code, gates.timeout_seconds)
    summary = next((line for line in reversed(lines) if line.strip()), "no output")
    details = {"failed": failed, "summary": summary, "output": lines[-_KEPT_LINES:] if failed else []}
    remember(world, run, Evidence(Subject.TESTS, code.tree, not failed, run.id, "", details))
    if failed:
        raise _rejection(failed, code.tree)
    return Outcome(f"tests passed for tree {code.tree[:12]}: {summary.strip('= ')}")


def _failed_tests(lines: list[str], exit_code: int | None, limit: int) -> list[str]:
    if exit_code == 0:
        return []
    if exit_code is None:
        return [f"the tests took longer than {limit} s and were stopped"]
    # pytest's short summary, https://docs.pytest.org/en/stable/how-to/output.html#producing-a-detailed-summary-report
    named = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return named or [f"the test command ended with exit code {exit_code}"]


def _rejection(failed: list[str], tree: str) -> Rejected:
    listing = "".join(f"\n  - {line}" for line in failed)
    return Rejected(f"the app's tests fail:{listing}", advice="correct the app and push a new commit", culprits=(tree,))
