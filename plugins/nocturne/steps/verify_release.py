"""Ask the new release through the environment's public address, while its users do."""

from nocturne.domain.errors import Rejected
from nocturne.domain.records import Cause, Release
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.cluster import Traffic
from nocturne.steps.probe import expected_of, probe_for
from nocturne.steps.roll_out import failed_state, take_lease
from nocturne.steps.world import Outcome, Run, World


def verify_release(world: World, run: Run, release: Release, cause: Cause) -> Outcome:
    """Mark deployment and release verified. Raises Rejected on a wrong answer or on too many failed requests of users."""
    take_lease(world, run)
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # roll_out recorded it
    if deployment.state is DeploymentState.REJECTED:  # and the step was killed before it could say so
        raise Rejected(deployment.reason)
    if deployment.state is DeploymentState.VERIFIED:
        _record(world, release)
        return Outcome(deployment.reason)
    environment = world.configuration.environment(run.environment)
    cluster = world.cluster(run.environment)
    url, before = cluster.public_url(), cluster.traffic()
    findings = probe_for(world, url, expected_of(world, release), environment.verify_seconds)
    after = cluster.traffic()
    users = _between(before, after)
    faults = [*findings.faults, *_objections(users, environment.max_error_rate)]
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        message = f"{release.id} does not answer rightly at {url}:{listing}"
        world.ledger.move_deployment(deployment.id, failed_state(cause), message)
        raise Rejected(message, advice="the previous release is put back by itself; see the app's log for the cause")
    seen = f"{users.requests} requests at the front door, {users.failed} failed" if users else "no count at the front door"
    message = f"{release.id} answers rightly at {url}: {findings.requests} probes in {environment.verify_seconds} s; {seen}"
    world.ledger.move_deployment(deployment.id, DeploymentState.VERIFIED, message)
    _record(world, release)
    return Outcome(message)


def _record(world: World, release: Release) -> None:
    world.ledger.set_release_state(release.id, ReleaseState.VERIFIED)
    inputs = release.inputs
    for subject in (release.id, inputs.code.tree, inputs.model.digest, inputs.model.label):
        world.ledger.lift_quarantine(subject)


def _between(before: Traffic | None, after: Traffic | None) -> Traffic | None:
    if before is None or after is None:
        return None
    # A front door that was restarted meanwhile counts from zero again.
    if after.requests < before.requests:
        return after
    return Traffic(after.requests - before.requests, after.failed - before.failed)


def _objections(users: Traffic | None, allowed: float) -> list[str]:
    if users is None or not users.requests or users.failed / users.requests <= allowed:
        return []
    return [f"{users.failed} of {users.requests} requests at the front door failed, expected at most {allowed:.2%}"]
