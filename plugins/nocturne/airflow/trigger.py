"""Waiting for a rollout in the triggerer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from nocturne.airflow.deployed import deployed_world
from nocturne.domain.errors import Broken, NocturneError
from nocturne.domain.records import Cause
from nocturne.ports.cluster import DesiredState, Phase, Rollout, Stage
from nocturne.steps.desired import desired_state
from nocturne.steps.roll_out import Started, wait_for_roll_out
from nocturne.steps.world import Run, World


class RollOutTrigger(BaseTrigger):
    """Watches one stage of a rollout. Its arguments are values: a triggerer that takes it over finds the rest in the ledger."""

    def __init__(
        self, release_id: str, environment: str, cause: str, run_id: str, requested_by: str, deadline: str, stage: str = "whole"
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id = release_id
        self.run_of_release = Run(run_id, environment, requested_by)
        self.cause = cause
        self.deadline = deadline
        self.stage = Stage(stage)

    @classmethod
    def of(cls, run: Run, started: Started) -> "RollOutTrigger":
        """The trigger for a stage that was started."""
        deployment, deadline, stage = started.deployment, started.deadline.isoformat(), started.desired.stage.value
        return cls(deployment.release_id, run.environment, deployment.cause.value, run.id, run.requested_by, deadline, stage)

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
            "stage": self.stage.value,
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
        yield TriggerEvent(event | {"stage": self.stage.value})  # type: ignore[no-untyped-call]

    def _open(self) -> tuple[World, DesiredState]:
        world = deployed_world(self.log.info)
        release = world.ledger.release(self.release_id)
        world, run = world.at(release.inputs.code.commit), self.run_of_release
        deployment = world.ledger.find_deployment(run.id, run.environment, Cause(self.cause))
        if deployment is None:
            raise Broken(f"the ledger has no deployment of run {run.id} in {run.environment}", advice="was its database replaced?")
        return world, desired_state(world.ledger, release, deployment, self.stage)


def event_of(rollout: Rollout | None) -> dict[str, Any]:
    """A rollout as JSON values."""
    return {"phase": None} if rollout is None else asdict(rollout) | {"phase": rollout.phase.value}


def rollout_in(event: dict[str, Any]) -> Rollout | None:
    """The inverse of `event_of`. Raises Broken for an event that tells why there was no look."""
    if "broken" in event:
        raise Broken(event["broken"])
    if event["phase"] is None:
        return None
    values = {field.name: event[field.name] for field in fields(Rollout) if field.name in event}
    return Rollout(**values | {"phase": Phase(event["phase"])})
