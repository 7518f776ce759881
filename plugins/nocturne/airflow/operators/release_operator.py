"""What all tasks about one release have in common."""

from collections.abc import Callable, Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.domain.records import Release
from nocturne.steps.perform import Found, Step, perform
from nocturne.steps.world import Outcome, Run, World


class ReleaseOperator(BaseOperator):
    """A task about the release with `release_id`, on its way into `environment`."""

    template_fields: Sequence[str] = ("release_id",)

    def __init__(self, *, environment: str, release_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment
        self.release_id = release_id

    def perform(self, context: Context, step: Step) -> Outcome:
        """Call a step as `ask` does, and leave its message in the log."""
        outcome = self.ask(context, step)
        self.log.info(outcome.message)
        return outcome

    def ask(self, context: Context, step: Callable[[World, Run, Release], Found]) -> Found:
        """Call a step that may leave something else than an outcome, and tell Airflow how it failed if it did."""
        with told_to_airflow(context):
            return perform(step, deployed_world(), run_of(context, self.environment), self.release_id)
