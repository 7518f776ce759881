"""The tasks that change production, and ask it how it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Context

from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import finish
from nocturne.airflow.run import run_of
from nocturne.airflow.trigger import RollOutTrigger, rollout_in
from nocturne.domain.records import Cause, Release
from nocturne.steps.roll_out import Started, finish_roll_out, start_roll_out
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Outcome, Run, World

_SLACK = timedelta(minutes=10)


class RollOutOperator(ReleaseOperator):
    """Asks the cluster for the release, then waits in the triggerer: no worker is held meanwhile."""

    ui_color = "#fce8e8"

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cause = cause

    def execute(self, context: Context) -> str:
        """Start it, and defer."""
        started: Started | None = None

        def start(world: World, run: Run, release: Release) -> Outcome:
            nonlocal started
            found = start_roll_out(world, run, release, Cause(self.cause), str(context["params"].get("reason") or ""))
            if isinstance(found, Outcome):
                return found
            started = found
            return Outcome(f"waiting until {found.deadline.isoformat()} at most")

        outcome = self.perform(context, start)
        if started is not None:
            trigger = RollOutTrigger.of(run_of(context, self.environment), started)
            # Should no triggerer ever take it up, Airflow itself ends the wait.
            self.defer(trigger=trigger, method_name="complete", timeout=started.deadline - datetime.now(UTC) + _SLACK)
        return finish(context, outcome)

    def complete(self, context: Context, event: dict[str, Any]) -> str:
        """Take up where the triggerer saw the rollout end."""

        def end(world: World, run: Run, release: Release) -> Outcome:
            return finish_roll_out(world, run, Cause(self.cause), rollout_in(event))

        return finish(context, self.perform(context, end))


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
