"""The first task of a night."""

from typing import Any

from airflow.sdk import BaseOperator, Context, SkipMixin

from nocturne.airflow.deployed import deployed_world
from nocturne.airflow.outcome import MESSAGE, told_to_airflow
from nocturne.airflow.run import run_of
from nocturne.steps.freeze_inputs import Frozen, Wish, freeze_inputs


class FreezeInputsOperator(BaseOperator, SkipMixin):
    """Returns the release id that all later tasks are about; skips them all where there is nothing to do."""

    inherits_from_skipmixin = True
    ui_color = "#e8eefc"

    def __init__(self, *, environment: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.environment = environment

    def execute(self, context: Context) -> str | None:
        """Freeze, and say in the log what will happen and why."""
        params = context["params"]
        wish = Wish(params.get("commit") or None, params.get("model_version") or None, bool(params.get("dry_run")))
        with told_to_airflow(context):
            frozen = freeze_inputs(deployed_world(), run_of(context, self.environment), wish)
        needed = frozen.plan.needed and not wish.dry_run
        context["ti"].xcom_push(key="plan", value=_describe(frozen, wish))
        for reason in frozen.plan.reasons:
            self.log.info("%s: %s", "why" if frozen.plan.needed else "nothing to do", reason)
        if wish.dry_run:
            self.log.info("dry run: %s", "this release would be made" if frozen.plan.needed else "nothing would be done")
        context["ti"].xcom_push(key=MESSAGE, value="; ".join(frozen.plan.reasons))
        if needed:
            return frozen.plan.release_id
        self.skip(context["ti"], self.get_flat_relatives(upstream=False))
        return None


def _describe(frozen: Frozen, wish: Wish) -> dict[str, Any]:
    """The plan as JSON values, for the command line and the pages."""
    inputs = frozen.inputs
    return {
        "release": frozen.plan.release_id,
        "needed": frozen.plan.needed,
        "dry_run": wish.dry_run,
        "reasons": list(frozen.plan.reasons),
        "commit": inputs.code.commit if inputs else None,
        "model_version": inputs.model.version if inputs else None,
    }
