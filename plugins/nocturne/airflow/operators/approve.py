"""A person's yes, where the environment asks for one."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException


class ApproveOperator(ApprovalOperator):
    """Waits for an answer in Airflow's page of required actions, without a worker and without the lease."""

    template_fields: Sequence[str] = ("subject", "body", "release_id")
    ui_color = "#fdf3dc"

    def __init__(self, *, environment: str, asked: bool, release_id: Any, **kwargs: Any) -> None:
        super().__init__(
            subject=f"Ship {{{{ task.release_id }}}} to {environment}?",
            body="It passed its tests, the gates of the model and its trial. The tasks before this one have the details.",
            fail_on_reject=True,
            **kwargs,
        )
        self.environment = environment
        self.asked = asked
        self.release_id = release_id

    def execute(self, context: Context) -> Any:
        """Skipped where nobody needs to be asked."""
        if not self.asked:
            raise AirflowSkipException(f"{self.environment} asks for no approval")
        return super().execute(context)
