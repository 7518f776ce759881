"""The tasks between freezing and rolling out, which nothing outside can notice."""

from airflow.sdk import Context

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import finish, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.build_image import build_image
from nocturne.steps.fetch_model import fetch_model
from nocturne.steps.judge_model import judge_model
from nocturne.steps.perform import Step
from nocturne.steps.prepare import prepare
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
    """Performs the step that the task is named after; from then on the night may go on with another model than it froze."""

    ui_color = "#eef7ee"

    def execute(self, context: Context) -> str:
        """Returns what was done, in a sentence."""
        named = bool(context["params"].get("model_version"))
        with told_to_airflow(context):
            run = run_of(context, self.environment)
            outcome = prepare(STEPS[self.task_id], deployed_world(), run, self.release_id, named)
        self.log.info(outcome.message)
        return finish(context, outcome)
