"""The first task of a rollback."""

from typing import Any

from airflow.sdk import BaseOperator, Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.choose_release import choose_release


class ChooseReleaseOperator(BaseOperator):
    """Returns the release id to go back to, and sets the hold."""

    ui_color = "#e8eefc"

    def __init__(self, *, environment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment

    def execute(self, context: Context) -> str:
        """The named release, or the last verified one that is not live."""
        params = context["params"]
        with told_to_airflow(context):
            release = choose_release(
                deployed_world(), run_of(context, self.environment), params.get("release") or None, params["reason"]
            )
        return release.id
