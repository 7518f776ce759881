"""The tasks between freezing and rolling out, which nothing outside can notice."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import finish, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.judge_model import judge_model
from nocturne.steps.perform import Step, perform
from nocturne.steps.test_code import test_code
from nocturne.steps.try_image import try_image

STEPS: dict[str, Step] = {
    "test_code": test_code,
    "fetch_model": fetch_model,
    "judge_model": judge_model,
    "build_image": build_image,
    "try_image": try_image,
}
"""In their order."""


class PrepareOperator(BaseOperator):
    """Performs the step that the task is named after."""

    template_fields: Sequence[str] = ("release_id",)
    ui_color = "#eef7ee"

    def __init__(self, *, environment: str, release_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment
        self.release_id = release_id

    def execute(self, context: Context) -> str:
        """Returns what was done, in a sentence."""
        with told_to_airflow(context):
            outcome = perform(STEPS[self.task_id], deployed_world(), run_of(context, self.environment), self.release_id)
        self.log.info(outcome.message)
        return finish(context, outcome)
