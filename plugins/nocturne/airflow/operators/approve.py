"""A person's yes, where the environment asks for one."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import MESSAGE, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.keep_model import kept


class ApproveOperator(ApprovalOperator):
    """Waits for an answer in Airflow's page of required actions, without a worker and without the lease.

    A no leaves production as it is and is no failure: nothing went wrong, and the next night asks again.
    """

    template_fields: Sequence[str] = ("release_id", "subject", "body")
    ui_color = "#fdf3dc"

    def __init__(self, *, environment: str, asked: bool, release_id: Any, **kwargs: Any) -> None:
        super().__init__(
            subject=f"Ship {{{{ task.release_id }}}} to {environment}?",
            body="It passed its tests, the gates of the model and its trial. The tasks before this one have the details.",
            **kwargs,
        )
        self.environment = environment
        self.asked = asked
        self.release_id = release_id

    def execute(self, context: Context) -> Any:
        """Skipped where nobody needs to be asked."""
        if not self.asked:
            message = f"{self.environment} asks for no approval"
            context["ti"].xcom_push(key=MESSAGE, value=message)
            raise AirflowSkipException(message)
        with told_to_airflow(context):
            found = kept(deployed_world(), run_of(context, self.environment), self.release_id)
        if found is not None:
            self.subject = f"Ship {found.release_id} to {self.environment}?"
            self.body = f"{self.body} Mind that it {found.reason}"
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Say who answered what, or that nobody did."""
        if "error" in event:
            message = self._unanswered(event)
            context["ti"].xcom_push(key=MESSAGE, value=message)
            raise AirflowFailException(message)
        answer, user = event["chosen_options"][0], event["responded_by_user"]["name"]
        word = "approved" if answer == self.APPROVE else "not approved"
        context["ti"].xcom_push(key=MESSAGE, value=f"{word} by {user}")
        return super().execute_complete(context, event)

    def _unanswered(self, event: dict[str, Any]) -> str:
        if event["error_type"] != "timeout" or self.response_timeout is None:
            return f"the answer could not be read: {event['error']}"
        hours = self.response_timeout.total_seconds() / 3600
        return f"nobody answered within {hours:g} {'hour' if hours == 1 else 'hours'}"
