"""What all tasks about one release have in common."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.perform import Step, perform
from nocturne.steps.world import Outcome


class ReleaseOperator(BaseOperator):
    """A task about the release with `release_id`, on its way into `environment`."""

    template_fields: Sequence[str] = ("release_id",)

    def __init__(self, *, environment: str, release_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment
        self.release_id = release_id

    def perform(self, context: Context, step: Step) -> Outcome:
        """Call a step, tell Airflow how it failed if it did, and leave its message in the log."""
        with told_to_airflow(context):
            outcome = perform(step, deployed_world(), run_of(context, self.environment), self.release_id)
        self.log.info(outcome.message)
        return outcome
