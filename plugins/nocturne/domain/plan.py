"""What a night will do, decided from what is known, before anything is done."""

import dataclasses
from dataclasses import dataclass

from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Deployment, Hold, Quarantine


@dataclass(frozen=True)
class Facts:
    """What a plan is made from.

    live: the last verified deployment of the environment; live_inputs: its release's. running: what the environment runs, as it
    says itself, None for nothing. drift: how what runs differs from the live release, in sentences. kept: why the live
    release's model is taken in place of the newest, empty where it is not.
    """

    inputs: Inputs
    environment: str
    live: Deployment | None
    live_inputs: Inputs | None
    running: str | None
    quarantined: tuple[Quarantine, ...]
    hold: Hold | None
    force: bool = False
    drift: tuple[str, ...] = ()
    kept: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the release is verified and live already."""
        wanted = self.inputs.release_id
        return self.live is not None and self.live.release_id == wanted and self.running == wanted


@dataclass(frozen=True)
class Plan:
    """needed: whether there is anything to do. reasons: why, in sentences for people."""

    release_id: str
    needed: bool
    reasons: tuple[str, ...]


def make_plan(facts: Facts) -> Plan:
    """Decide whether the night is needed, and say why."""
    plan = _make_plan(facts)
    return dataclasses.replace(plan, reasons=(facts.kept, *plan.reasons)) if facts.kept else plan


def _make_plan(facts: Facts) -> Plan:
    release_id = facts.inputs.release_id
    if facts.force:
        return Plan(release_id, True, ("forced: nothing that was learned before is relied on", *_hold(facts)))
    if facts.quarantined:
        listing = tuple(f"{item.id} was rejected on {item.since[:19]} UTC: {item.reason}" for item in facts.quarantined)
        return Plan(release_id, False, (*listing, _stays(facts)))
    if facts.live and facts.unchanged:
        if facts.drift:
            return Plan(release_id, True, (*(f"changed by hand: {change}" for change in facts.drift), *_hold(facts)))
        since = f"nothing changed since {release_id} was verified in {facts.environment} on {facts.live.changed_at[:19]} UTC"
        return Plan(release_id, False, (since,))
    return Plan(release_id, True, (*_changes(facts), *_hold(facts)))


def _changes(facts: Facts) -> tuple[str, ...]:
    if facts.live is None or facts.live_inputs is None:
        return (f"{facts.environment} has no verified release yet",)
    new, old, changes = facts.inputs, facts.live_inputs, []
    if new.code.tree != old.code.tree:
        changes.append(f"the code changed: {old.code.commit[:12]} -> {new.code.commit[:12]} ({new.code.subject})")
    if new.model.digest != old.model.digest:
        changes.append(f"the model changed: {old.model.version} -> {new.model.version}")
    if new.base_digest != old.base_digest:
        changes.append("the base image changed")
    if new.manifests_digest != old.manifests_digest:
        changes.append("the manifests changed")
    if not changes:
        changes.append(f"{facts.environment} runs {facts.running or 'nothing'}, but {facts.inputs.release_id} should be live")
    return tuple(changes)


def _hold(facts: Facts) -> tuple[str, ...]:
    hold = facts.hold
    if hold is None:
        return ()
    return (f"{facts.environment} is held by {hold.by} since {hold.since[:19]} UTC ({hold.reason}): it will not roll out",)


def _stays(facts: Facts) -> str:
    return f"{facts.environment} keeps {facts.live.release_id}" if facts.live else f"{facts.environment} stays empty"
