"""`nocturne status`: what is live, since when, and what stands in the way."""

from dataclasses import asdict, dataclass

from nocturne.cli import workplace
from nocturne.cli.output import Json, day, out, print_facts, print_json
from nocturne.composition import ConnectedWorld
from nocturne.domain.errors import Conflict, NocturneError, Rejected
from nocturne.domain.records import Deployment, Hold, Lease
from nocturne.steps.desired import desired_state


@dataclass(frozen=True)
class EnvironmentStatus:
    """One environment. live: the last verified deployment. running: what the environment says itself, or why it says nothing.

    public_url: or why it is not known. drift: how what runs differs from the live release, in sentences.
    """

    environment: str
    live: Deployment | None
    commit: str
    model_version: str
    running: str
    as_recorded: bool
    public_url: str
    hold: Hold | None
    lease: Lease | None
    last: Deployment | None
    drift: list[str]


def status(json: Json = False) -> None:
    """Show for each environment what is live, what it really runs, and what stands in the way of the next night."""
    world = workplace.world()
    found = [_look(world, name) for name in _shipped_to(world)]
    if json:
        print_json([asdict(item) for item in found])
        return
    for item in found:
        print_facts(_facts(item))
    quarantined = world.ledger.quarantined()
    if quarantined:
        out.print(
            f"\nin quarantine: {', '.join(item.id for item in quarantined)} (`nocturne quarantine list` says why)", markup=False
        )


def _shipped_to(world: ConnectedWorld) -> list[str]:
    return [name for name in world.configuration.environments if workplace.ships_to(world, name)]


def _look(world: ConnectedWorld, name: str) -> EnvironmentStatus:
    live = world.ledger.live(name)
    inputs = world.ledger.release(live.release_id).inputs if live else None
    running = _running(world, name)
    return EnvironmentStatus(
        environment=name,
        live=live,
        commit=inputs.code.commit if inputs else "",
        model_version=inputs.model.version if inputs else "",
        running=running,
        as_recorded=running == (live.release_id if live else "nothing"),
        public_url=_public_url(world, name),
        hold=world.ledger.held(name),
        lease=world.ledger.leased(name),
        last=next(iter(world.ledger.deployments(name, limit=1)), None),
        drift=_drift(world, live) if live and running == live.release_id else [],
    )


def _running(world: ConnectedWorld, name: str) -> str:
    try:
        return world.cluster(name).running() or "nothing"
    except NocturneError as error:
        return f"unknown: {error.message}"


def _public_url(world: ConnectedWorld, name: str) -> str:
    try:
        return world.cluster(name).public_url()
    except NocturneError as error:
        return f"an unknown address: {error.message}"


def _drift(world: ConnectedWorld, live: Deployment) -> list[str]:
    try:
        return world.cluster(live.environment).drift(desired_state(world.ledger, world.ledger.release(live.release_id), live))
    except (Rejected, Conflict) as error:
        return [f"it cannot be compared with what was released: {error.message}"]
    except NocturneError as error:
        return [f"unknown: {error.message}"]


def _facts(item: EnvironmentStatus) -> list[tuple[str, str]]:
    facts = [("environment", f"{item.environment} at {item.public_url}")]
    if item.live:
        facts.append(("live", f"{item.live.release_id} since {day(item.live.changed_at)} UTC"))
        facts.append(("", f"commit {item.commit[:12]}, model {item.model_version}"))
    else:
        facts.append(("live", "nothing was verified here yet"))
    if not item.as_recorded:
        facts.append(
            ("running", item.running if item.running.startswith("unknown") else f"{item.running}: not what the ledger says")
        )
    for number, difference in enumerate(item.drift):
        facts.append(("" if number else "drift", difference))
    if item.hold:
        facts.append(("hold", f"by {item.hold.by} since {day(item.hold.since)} UTC: {item.hold.reason}"))
    if item.lease:
        facts.append(("lease", f"{item.lease.run_id} is deploying, until {day(item.lease.expires_at)} UTC at most"))
    if item.last and (item.live is None or item.last.id != item.live.id):
        reason = item.last.reason.partition("\n")[0]
        facts.append(("last", f"{item.last.release_id} {item.last.state} on {day(item.last.changed_at)} UTC: {reason}"))
    return facts
