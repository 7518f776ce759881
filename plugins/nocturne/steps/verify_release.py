"""Ask the new release through the environment's public address, while its users do."""

from datetime import timedelta

from nocturne.domain.errors import Broken, Rejected, Relapsed
from nocturne.domain.records import Cause, Deployment, Release
from nocturne.domain.states import DeploymentState, ReleaseState
from nocturne.ports.app_client import AppClient
from nocturne.steps.desired import desired_state
from nocturne.steps.look import look, relapse
from nocturne.steps.probe import expected_of, probe_for
from nocturne.steps.rejection import failed
from nocturne.steps.roll_out import take_lease
from nocturne.steps.traffic import Asked, between
from nocturne.steps.world import Outcome, Run, World

_SWITCH_SECONDS = 30
"""How long a public address may go on sending some users to the previous release after the switch."""
_PAUSE_SECONDS = 0.5
_IN_A_ROW = 3
"""Right answers over new connections, each of which may reach another node."""


def verify_release(world: World, run: Run, release: Release, cause: Cause) -> Outcome:
    """Mark deployment and release verified. Raises Rejected on a wrong answer, on too many failed requests of users, and when
    the release does not keep running; Relapsed instead where it was verified here before.
    """
    take_lease(world, run)
    deployment = world.ledger.find_deployment(run.id, run.environment, cause)
    assert deployment is not None  # roll_out recorded it
    if deployment.state is DeploymentState.REJECTED:  # and the step was killed before it could say so
        raise Rejected(deployment.reason)
    if deployment.state is DeploymentState.BROKEN:  # likewise
        raise Relapsed(deployment.reason)
    if deployment.state is DeploymentState.VERIFIED:
        _record(world, release)
        return Outcome(deployment.reason)
    url = world.cluster(run.environment).public_url()
    faults, seen = _ask(world, release, deployment, url)
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        message = f"{release.id} does not answer rightly at {url}:{listing}"
        advice = "the previous release is put back by itself; see the app's log for the cause"
        raise failed(world, deployment, Rejected(message, advice=advice))
    message = f"{release.id} answers rightly at {url}: {seen}"
    world.ledger.move_deployment(deployment.id, DeploymentState.VERIFIED, message)
    _record(world, release)
    return Outcome(message)


def _ask(world: World, release: Release, deployment: Deployment, url: str) -> tuple[list[str], str]:
    """Every fault, and what was seen in words."""
    environment = world.configuration.environment(deployment.environment)
    cluster, desired = world.cluster(environment.name), desired_state(world.ledger, release, deployment)
    restarts, before = look(world, environment.name, desired).restarts, cluster.traffic()
    try:
        client = _after_the_switch(world, url, release.id)
        findings = probe_for(world, client, expected_of(world, release), environment.verify_seconds)
    except Broken as error:
        # Nobody answers: where the release has crashed, that is its own fault.
        crashed = relapse(restarts, look(world, environment.name, desired))
        if not crashed:
            raise
        return [error.message, *crashed], ""
    users = between(before, cluster.traffic())
    faults = [*findings.faults, *_objections(users, environment.max_error_rate)]
    faults += relapse(restarts, look(world, environment.name, desired))
    counted = f"{users.requests} requests at the front door, {users.failed} failed" if users else "no count at the front door"
    return faults, f"{findings.requests} probes in {environment.verify_seconds} s; {counted}"


def _after_the_switch(world: World, url: str, release_id: str) -> AppClient:
    """A client for the address once it stopped answering as another release, or half a minute has passed.

    Only a right answer of another release is waited for: everything else is for the probes to judge.
    """
    end = world.clock.now() + timedelta(seconds=_SWITCH_SECONDS)
    right = 0
    while True:
        # A connection that is kept alive may stay with a replica of the previous release.
        client = world.clients.open(url)
        answer = client.get("/version")
        found = answer.body.get("release") if answer.status == 200 and isinstance(answer.body, dict) else None
        stale = isinstance(found, str) and found != release_id
        right = 0 if stale else right + 1
        if right == _IN_A_ROW or world.clock.now() >= end:
            return client
        if stale:
            world.log(f"{url} still answers as {found}, waiting for {release_id}")
            world.clock.sleep(_PAUSE_SECONDS)


def _record(world: World, release: Release) -> None:
    # Why it was rejected once is past; why it was made as it is stays.
    reason = "" if release.state is ReleaseState.REJECTED else release.reason
    world.ledger.set_release_state(release.id, ReleaseState.VERIFIED, reason)
    inputs = release.inputs
    for subject in (release.id, inputs.code.tree, inputs.model.digest, inputs.model.label):
        world.ledger.lift_quarantine(subject)


def _objections(users: Asked | None, allowed: float) -> list[str]:
    if users is None or not users.requests or users.failed / users.requests <= allowed:
        return []
    return [f"{users.failed} of {users.requests} requests at the front door failed, expected at most {allowed:.2%}"]
