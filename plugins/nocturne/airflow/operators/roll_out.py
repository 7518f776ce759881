"""The tasks that change production, and ask it how it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context

from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import finish
from nocturne.airflow.run import run_of
from nocturne.airflow.trigger import RollOutTrigger, rollout_in
from nocturne.domain.records import Cause, Release
from nocturne.ports.cluster import Stage
from nocturne.steps.end_stage import end_stage
from nocturne.steps.roll_out import Started, start_roll_out
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Outcome, Run, World

_SLACK = timedelta(minutes=10)


class RollOutOperator(ReleaseOperator):
    """Asks the cluster for the release, stage by stage, and waits in the triggerer: no worker is held meanwhile."""

    ui_color = "#fce8e8"

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cause = cause

    def execute(self, context: Context) -> str:
        """Start the first stage, and defer."""
        reason = str(context["params"].get("reason") or "")
        cause = Cause(self.cause)
        return self._go_on(context, lambda world, run, release: start_roll_out(world, run, release, cause, reason))

    def complete(self, context: Context, event: dict[str, Any]) -> str:
        """Take up where the triggerer saw a stage end."""
        cause, stage = Cause(self.cause), Stage(event.get("stage", Stage.WHOLE))
        return self._go_on(context, lambda world, run, release: end_stage(world, run, release, cause, stage, rollout_in(event)))

    def _go_on(self, context: Context, step: Callable[[World, Run, Release], Started | Outcome]) -> str:
        found = self.ask(context, step)
        if isinstance(found, Started):
            self.log.info(f"waiting until {found.deadline.isoformat()} at most ({found.desired.stage})")
            trigger = RollOutTrigger.of(run_of(context, self.environment), found)
            # Should no triggerer ever take it up, Airflow itself ends the wait.
            left = max(found.deadline - datetime.now(UTC), timedelta())
            self.defer(trigger=trigger, method_name="complete", timeout=left + _SLACK)
        self.log.info(found.message)
        return finish(context, found)


class VerifyOperator(ReleaseOperator):
    """Asks the release through the public address."""

    ui_color = "#fce8e8"

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cause = cause

    def execute(self, context: Context) -> str:
        """Returns what was seen, in a sentence."""
        outcome = self.perform(context, lambda world, run, release: verify_release(world, run, release, Cause(self.cause)))
        return finish(context, outcome)
