"""How often and how long tasks are tried."""

import math
from datetime import timedelta
from typing import Any

from nocturne.domain.configuration import Configuration, Environment
from nocturne.domain.limits import AROUND_SECONDS

RETRIES: dict[str, Any] = {
    "retries": 4,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 3.0,
    "max_retry_delay": timedelta(minutes=10),
}
"""For what is broken: after 5, 15, 45 and 135 seconds at least. What is rejected fails at once, whatever stands here."""

_PATIENT_DELAY = timedelta(minutes=2)


def patient(environment: Environment) -> dict[str, Any]:
    """For a rollback: it outlasts the lease of a run that died with it, and one that a living night still needs to settle."""
    retries = math.ceil(2 * environment.lease_seconds / _PATIENT_DELAY.total_seconds())
    return {"retries": retries + RETRIES["retries"], "max_retry_delay": _PATIENT_DELAY}


def time_limits(configuration: Configuration, environment: Environment) -> dict[str, timedelta]:
    """How long each task may run in one try. A step that has a limit of its own gets that and what it needs around it."""
    around = timedelta(seconds=AROUND_SECONDS)
    rollout = timedelta(seconds=environment.rollout_seconds)
    verify = timedelta(seconds=environment.verify_seconds)
    return {
        "freeze_inputs": around,
        "test_code": timedelta(seconds=configuration.tests.timeout_seconds) + around,
        "fetch_model": timedelta(hours=2),
        # The pair, the live model on a new golden set, each half of a refused pair, of which one may need the live one again, and
        # the live pair where both are refused.
        "judge_model": 6 * timedelta(seconds=configuration.judge.timeout_seconds) + around,
        "build_image": timedelta(hours=1),
        "try_image": around,
        "roll_out": rollout + around,
        "verify_release": verify + around,
        "settle": rollout + verify + around,
        "retire": around,
    }
