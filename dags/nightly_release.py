"""
### The night

Joins the latest tested code with the latest good model into one release, tests it as one, ships it as one.

| task | what it does |
| --- | --- |
| freeze_inputs | decides by digest which code and which model this run is about; stops here when nothing is to do |
| test_code | the app's own tests, at that commit |
| fetch_model | the model from the store, pinned and checked |
| judge_model | code and model together on the golden set, beside the live release; says which of them is to blame |
| build_image | the code image, only if that code has none; the model's layer on top |
| try_image | the pushed image, run and asked |
| approve | a person's yes, where the environment asks for one |
| roll_out | production changes; waits without a worker |
| verify_release | asks the release through the public address |
| settle | always: the release is verified, or the previous one is back; the run's state is this task's |
| retire | removes what the verified release made superfluous, once it was kept for as long as the environment says |

A **skipped** task says in its log what it relies on instead. A task that **failed** at once was refused (rejected): publish a
better model or push better code. One that is tried again found something broken. Where only the model is refused and the app says
`on_bad_model = "keep_current_model"`, the night goes on with the new code and the live release's model, and says so.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, chain

from nocturne.airflow.operators.approve import ApproveOperator
from nocturne.airflow.operators.freeze_inputs import FreezeInputsOperator
from nocturne.airflow.operators.prepare import STEPS, PrepareOperator
from nocturne.airflow.operators.retire import RetireOperator
from nocturne.airflow.operators.roll_out import RollOutOperator, VerifyOperator
from nocturne.airflow.operators.settle import SettleOperator
from nocturne.airflow.settings import RETRIES, time_limits
from nocturne.composition import deployed_configuration

configuration = deployed_configuration()
environment = configuration.environment(configuration.night.environment)
limits = time_limits(configuration, environment)

with DAG(
    dag_id="nightly_release",
    doc_md=__doc__,
    # The first night is the next one: by default, one begins at once where a night was due within the last tenth of a day.
    schedule=CronTriggerTimetable(configuration.night.cron, timezone=configuration.night.timezone, run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "nocturne", **RETRIES},
    tags=["nocturne", configuration.name, environment.name],
    params={
        "commit": Param(
            None, type=["null", "string"], title="Commit", description="Branch, tag or commit; empty: the configured one."
        ),
        "model_version": Param(None, type=["null", "string"], title="Model version", description="Empty: the latest."),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Say what would happen and why; change nothing."),
        "force": Param(
            False, type="boolean", title="Force", description="Rely on nothing that was learned before, and on no quarantine."
        ),
    },
) as dag:
    frozen = FreezeInputsOperator(task_id="freeze_inputs", environment=environment.name, execution_timeout=limits["freeze_inputs"])
    about: dict[str, Any] = {"environment": environment.name, "release_id": frozen.output}
    # `none_failed`: a step that was skipped relies on something, and the night goes on.
    steps = [PrepareOperator(task_id=name, trigger_rule="none_failed", execution_timeout=limits[name], **about) for name in STEPS]
    approve = ApproveOperator(
        task_id="approve", asked=environment.approval, response_timeout=timedelta(hours=12), trigger_rule="none_failed", **about
    )
    roll_out = RollOutOperator(
        task_id="roll_out", cause="night", trigger_rule="none_failed", execution_timeout=limits["roll_out"], **about
    )
    # `all_success`: a rollout that a hold skipped is not verified.
    verify = VerifyOperator(task_id="verify_release", cause="night", execution_timeout=limits["verify_release"], **about)
    settle = SettleOperator(task_id="settle", cause="night", execution_timeout=limits["settle"], **about)
    # A teardown does not count for the run's state.
    retire = RetireOperator(task_id="retire", cause="night", execution_timeout=limits["retire"], **about).as_teardown()
    chain(frozen, *steps, approve, roll_out, verify, settle, retire)
