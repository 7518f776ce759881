"""
### Going back

Puts a release that was verified before back into production, through the same gate as any other, and sets a **hold**: nights
stop before `roll_out` until somebody lifts it with `nocturne release resume`.
"""

from typing import Any

from airflow.sdk import DAG, Param, chain

from nocturne.airflow.operators.choose_release import ChooseReleaseOperator
from nocturne.airflow.operators.retire import RetireOperator
from nocturne.airflow.operators.roll_out import RollOutOperator, VerifyOperator
from nocturne.airflow.operators.settle import SettleOperator
from nocturne.airflow.settings import RETRIES, patient, time_limits
from nocturne.composition import deployed_configuration

configuration = deployed_configuration()
environment = configuration.environment(configuration.night.environment)
limits = time_limits(configuration, environment)

with DAG(
    dag_id="rollback",
    doc_md=__doc__,
    schedule=None,
    max_active_runs=1,
    default_args={"owner": "nocturne", **RETRIES},
    tags=["nocturne", configuration.name, environment.name],
    params={
        "environment": Param(environment.name, type="string", enum=[environment.name], title="Environment"),
        "release": Param(
            None, type=["null", "string"], title="Release", description="Empty: the last verified one that users do not get now."
        ),
        "reason": Param(type="string", minLength=3, title="Reason", description="Why; everybody who looks at the hold sees it."),
    },
) as dag:
    chosen = ChooseReleaseOperator(
        task_id="choose_release", environment=environment.name, execution_timeout=limits["freeze_inputs"]
    )
    about: dict[str, Any] = {"environment": environment.name, "cause": "rollback", "release_id": chosen.output}
    roll_out = RollOutOperator(task_id="roll_out", execution_timeout=limits["roll_out"], **patient(environment), **about)
    verify = VerifyOperator(task_id="verify_release", execution_timeout=limits["verify_release"], **about)
    settle = SettleOperator(task_id="settle", execution_timeout=limits["settle"], **about)
    # A teardown does not count for the run's state.
    retire = RetireOperator(task_id="retire", execution_timeout=limits["retire"], **about).as_teardown()
    chain(chosen, roll_out, verify, settle, retire)
