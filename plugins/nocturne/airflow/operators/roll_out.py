"""The tasks that change production, and ask it how it is."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import finish, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.airflow.trigger import RollOutTrigger, rollout_in
from nocturne.domain.records import Cause, Release
from nocturne.steps.perform import perform
from nocturne.steps.roll_out import Started, finish_roll_out, start_roll_out
from nocturne.steps.verify_release import verify_release
from nocturne.steps.world import Outcome, Run, World


class RollOutOperator(BaseOperator):
    """Asks the cluster for the release, then waits in the triggerer: no worker is held meanwhile."""

    template_fields: Sequence[str] = ("release_id",)
    ui_color = "#fce8e8"

    def __init__(self, *, environment: str, cause: str, release_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment
        self.cause = cause
        self.release_id = release_id

    def execute(self, context: Context) -> str:
        """Start it, and defer."""
        run, started = run_of(context, self.environment), None

        def start(world: World, run: Run, release: Release) -> Outcome:
            nonlocal started
            found = start_roll_out(world, run, release, Cause(self.cause), str(context["params"].get("reason") or ""))
            if isinstance(found, Outcome):
                return found
            started = found
            return Outcome(f"waiting until {found.deadline.isoformat()} at most")

        with told_to_airflow(context):
            outcome = perform(start, deployed_world(), run, self.release_id)
        self.log.info(outcome.message)
        if isinstance(started, Started):
            self.defer(trigger=RollOutTrigger.of(run, started), method_name="complete")
        return finish(context, outcome)

    def complete(self, context: Context, event: dict[str, Any]) -> str:
        """Take up where the triggerer saw the rollout end."""
        rollout = rollout_in(event)
        with told_to_airflow(context):
            outcome = perform(
                lambda world, run, release: finish_roll_out(world, run, Cause(self.cause), rollout),
                deployed_world(),
                run_of(context, self.environment),
                self.release_id,
            )
        self.log.info(outcome.message)
        return finish(context, outcome)


class VerifyOperator(BaseOperator):
    """Asks the release through the public address."""

    template_fields: Sequence[str] = ("release_id",)
    ui_color = "#fce8e8"

    def __init__(self, *, environment: str, cause: str, release_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment
        self.cause = cause
        self.release_id = release_id

    def execute(self, context: Context) -> str:
        """Returns what was seen, in a sentence."""
        with told_to_airflow(context):
            outcome = perform(
                lambda world, run, release: verify_release(world, run, release, Cause(self.cause)),
                deployed_world(),
                run_of(context, self.environment),
                self.release_id,
            )
        self.log.info(outcome.message)
        return finish(context, outcome)
