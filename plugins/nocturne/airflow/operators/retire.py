"""What follows on a verdict, without changing it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import Context

from nocturne.airflow.operators.release_operator import ReleaseOperator
from nocturne.airflow.outcome import finish
from nocturne.domain.records import Cause
from nocturne.steps.retire import retire, retire_at
from nocturne.steps.world import Outcome

_SLACK = timedelta(minutes=10)


class RetireOperator(ReleaseOperator):
    """Removes what the run's verified release has made superfluous, once it was kept for as long as the environment says.

    Used as a teardown, so that the run's state is that of settle, whatever becomes of this task.
    """

    ui_color = "#e8eefc"

    def __init__(self, *, cause: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cause = cause

    def execute(self, context: Context) -> str:
        """Wait without a worker where there is something to wait for."""
        if not self.release_id:
            return finish(context, Outcome("this run has no release", skipped=True))
        found = self.ask(context, lambda world, run, release: retire_at(world, run, Cause(self.cause)))
        if isinstance(found, Outcome):
            self.log.info(found.message)
            return finish(context, found)
        self.log.info(f"what the release made superfluous is kept until {found.isoformat(timespec='seconds')}")
        left = found - datetime.now(UTC)
        if left > timedelta():
            self.defer(trigger=DateTimeTrigger(moment=found), method_name="complete", timeout=left + _SLACK)
        return self.complete(context)

    def complete(self, context: Context, event: Any = None) -> str:
        """Returns what was removed, in a sentence."""
        outcome = self.perform(context, lambda world, run, release: retire(world, run, release, Cause(self.cause)))
        return finish(context, outcome)
