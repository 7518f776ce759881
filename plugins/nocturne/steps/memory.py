"""What was learned before need not be learned again, unless the run is forced to."""

import dataclasses

from nocturne.domain.records import Evidence, Subject
from nocturne.steps.world import Run, World


def recall(world: World, run: Run, subject: Subject, key: str) -> Evidence | None:
    """What is known; a forced run relies only on what it learned itself, so that its retries still resume."""
    known = world.ledger.recall(subject, key)
    return None if known and run.force and known.run_id != run.id else known


def remember(world: World, run: Run, evidence: Evidence) -> Evidence:
    """Record evidence of this run, dated now."""
    dated = dataclasses.replace(evidence, run_id=run.id, recorded_at=world.clock.now().isoformat())
    world.ledger.evidence(dated)
    return dated
