"""The tasks between freezing and rolling out, which nothing outside can notice."""

from airflow.sdk import Context

from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import finish
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.judge_model import judge_model
from nocturne.steps.perform import Step
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


class PrepareOperator(ReleaseOperator):
    """Performs the step that the task is named after."""

    ui_color = "#eef7ee"

    def execute(self, context: Context) -> str:
        """Returns what was done, in a sentence."""
        return finish(context, self.perform(context, STEPS[self.task_id]))
