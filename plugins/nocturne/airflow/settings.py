"""How often and how long tasks are tried."""

from datetime import timedelta
from typing import Any

from nocturne.domain.configuration import Configuration, Environment

RETRIES: dict[str, Any] = {
    "retries": 4,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 3.0,
    "max_retry_delay": timedelta(minutes=10),
}
"""For what is broken: after 5, 15, 45 and 135 seconds at least. What is rejected fails at once, whatever stands here."""

PATIENT: dict[str, Any] = {"retries": 25, "max_retry_delay": timedelta(minutes=2)}
"""For a rollback: it must outlast the lease of a run that died with it."""


def time_limits(configuration: Configuration, environment: Environment) -> dict[str, timedelta]:
    """How long each task may run in one try. A step that has a limit of its own gets that and what it needs around it."""
    around = timedelta(minutes=10)
    rollout = timedelta(seconds=environment.rollout_timeout_seconds)
    verify = timedelta(seconds=environment.verify_seconds)
    return {
        "freeze_inputs": around,
        "test_code": timedelta(seconds=configuration.tests.timeout_seconds) + around,
        "fetch_model": timedelta(hours=2),
        "judge_model": 2 * timedelta(seconds=configuration.judge.timeout_seconds) + around,
        "build_image": timedelta(hours=1),
        "try_image": around,
        "roll_out": rollout + around,
        "verify_release": verify + around,
        "settle": rollout + verify + around,
    }
