"""Waiting for a rollout in the triggerer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from nocturne.airflow.deployed import deployed_world
from nocturne.domain.errors import Broken, NocturneError
from nocturne.domain.records import Cause
from nocturne.ports.cluster import DesiredState, Phase, Rollout
from nocturne.steps.roll_out import Started, desired_state, wait_for_roll_out
from nocturne.steps.world import Run, World


class RollOutTrigger(BaseTrigger):
    """Watches one rollout. Its arguments are values: a triggerer that takes it over finds everything else in the ledger."""

    def __init__(self, release_id: str, environment: str, cause: str, run_id: str, requested_by: str, deadline: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id = release_id
        self.run_of_release = Run(run_id, environment, requested_by)
        self.cause = cause
        self.deadline = deadline

    @classmethod
    def of(cls, run: Run, started: Started) -> "RollOutTrigger":
        """The trigger for a rollout that was started."""
        deployment, deadline = started.deployment, started.deadline.isoformat()
        return cls(deployment.release_id, run.environment, deployment.cause.value, run.id, run.requested_by, deadline)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """See BaseTrigger."""
        run = self.run_of_release
        arguments = {
            "release_id": self.release_id,
            "environment": run.environment,
            "cause": self.cause,
            "run_id": run.id,
            "requested_by": run.requested_by,
            "deadline": self.deadline,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event at the end."""
        environment = self.run_of_release.environment
        try:
            # Connections and the ledger block, and the triggerer has one loop for all its triggers.
            world, desired = await asyncio.to_thread(self._open)
            event = event_of(await wait_for_roll_out(world, environment, desired, datetime.fromisoformat(self.deadline)))
        except NocturneError as error:
            event = {"phase": None, "broken": str(error)}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]

    def _open(self) -> tuple[World, DesiredState]:
        world = deployed_world(self.log.info)
        release = world.ledger.release(self.release_id)
        world, run = world.at(release.inputs.code.commit), self.run_of_release
        deployment = world.ledger.find_deployment(run.id, run.environment, Cause(self.cause))
        if deployment is None:
            raise Broken(f"the ledger has no deployment of run {run.id} in {run.environment}", advice="was its database replaced?")
        return world, desired_state(world, run, release, deployment)


def event_of(rollout: Rollout | None) -> dict[str, Any]:
    """A rollout as JSON values."""
    if rollout is None:
        return {"phase": None}
    return {
        "phase": rollout.phase.value,
        "ready": rollout.ready,
        "wanted": rollout.wanted,
        "message": rollout.message,
        "seen": rollout.seen,
    }


def rollout_in(event: dict[str, Any]) -> Rollout | None:
    """The inverse of `event_of`. Raises Broken for an event that tells why there was no look."""
    if "broken" in event:
        raise Broken(event["broken"])
    if event["phase"] is None:
        return None
    return Rollout(Phase(event["phase"]), event["ready"], event["wanted"], event["message"], event["seen"])
