"""Waiting for a rollout in the triggerer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from nocturne.airflow.deployed import deployed_world
from nocturne.ports.cluster import DesiredState, Phase, Rollout
from nocturne.steps.roll_out import Started, desired_state, wait_for_roll_out
from nocturne.steps.world import Run, World


class RollOutTrigger(BaseTrigger):
    """Watches one rollout. Its arguments are values: a triggerer that takes it over finds everything else in the ledger."""

    def __init__(self, release_id: str, environment: str, run_id: str, requested_by: str, deadline: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id = release_id
        self.run_of_release = Run(run_id, environment, requested_by)
        self.deadline = deadline

    @classmethod
    def of(cls, run: Run, started: Started) -> "RollOutTrigger":
        """The trigger for a rollout that was started."""
        return cls(started.desired.release_id, run.environment, run.id, run.requested_by, started.deadline.isoformat())

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """See BaseTrigger."""
        run = self.run_of_release
        arguments = {
            "release_id": self.release_id,
            "environment": run.environment,
            "run_id": run.id,
            "requested_by": run.requested_by,
            "deadline": self.deadline,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event at the end."""
        # Connections and the ledger block, and the triggerer has one loop for all its triggers.
        world, desired = await asyncio.to_thread(self._open)
        environment = self.run_of_release.environment
        rollout = await wait_for_roll_out(world, environment, desired, datetime.fromisoformat(self.deadline))
        yield TriggerEvent(event_of(rollout))  # type: ignore[no-untyped-call]

    def _open(self) -> tuple[World, DesiredState]:
        world = deployed_world(self.log.info)
        release = world.ledger.release(self.release_id)
        world = world.at(release.inputs.code.commit)
        world.cluster(self.run_of_release.environment)
        return world, desired_state(self.run_of_release, release)


def event_of(rollout: Rollout | None) -> dict[str, Any]:
    """A rollout as JSON values."""
    if rollout is None:
        return {"phase": None}
    return {"phase": rollout.phase.value, "ready": rollout.ready, "wanted": rollout.wanted, "message": rollout.message}


def rollout_in(event: dict[str, Any]) -> Rollout | None:
    """The inverse of `event_of`."""
    if event["phase"] is None:
        return None
    return Rollout(Phase(event["phase"]), event["ready"], event["wanted"], event["message"])
