import dataclasses
import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from airflow.sdk import DAG, CronTriggerTimetable
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable as SchedulersTimetable

from nocturne.airflow.settings import patient
from nocturne.domain.errors import ConfigurationError
from nocturne.domain.release_toml import parse_configuration
from nocturne.domain.strategy import Canary, Strategy, StrategyKind

DAGS = Path(__file__).parents[3] / "dags"
NIGHT = [
    "freeze_inputs",
    "test_code",
    "fetch_model",
    "judge_model",
    "build_image",
    "try_image",
    "approve",
    "roll_out",
    "verify_release",
    "settle",
    "retire",
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{name}", DAGS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("loaded_"):
            del sys.modules[name]


def in_order(dag: DAG) -> list[str]:
    return [task.task_id for task in dag.topological_sort()]


@pytest.fixture
def night() -> DAG:
    return dag_of("nightly_release")


def dag_of(name: str) -> DAG:
    found = load(name).dag
    assert isinstance(found, DAG)
    return found


def test_the_steps_of_the_night(night: DAG) -> None:
    """The night's tasks are the design's steps, in its order."""
    assert in_order(night) == NIGHT


def test_how_the_night_is_scheduled(night: DAG) -> None:
    """It runs by cron in the configured time zone, never catches up, and one run at a time."""
    assert (night.catchup, night.max_active_runs) == (False, 1)
    assert isinstance(night.schedule, CronTriggerTimetable)
    assert (night.schedule.expression, str(night.schedule.timezone)) == ("0 2 * * *", "UTC")


def test_every_task_has_a_limit_and_retries(night: DAG) -> None:
    """No task can hang for ever, and what is broken is tried again with growing pauses."""
    for task in night.tasks:
        if task.task_id != "approve":  # it waits for a person, with a limit of its own
            assert task.execution_timeout is not None, task.task_id
        assert task.retries >= 3, task.task_id
        assert task.retry_exponential_backoff, task.task_id


def test_the_form(night: DAG) -> None:
    """The trigger form asks for commit, model version, dry run and force, each typed."""
    kinds = {name: night.params.get_param(name).schema["type"] for name in night.params}
    text, flag = ["null", "string"], "boolean"
    assert kinds == {"commit": text, "model_version": text, "dry_run": flag, "force": flag}


def test_settle_always_runs(night: DAG) -> None:
    """Whatever fails before it, settle runs."""
    assert night.get_task("settle").trigger_rule == "all_done"


def test_a_rollback_outlasts_every_lease() -> None:
    """Its pauses are longer than the lease that a run with the slowest strategy leaves when it dies."""
    text = (DAGS.parent / "app" / "release.toml").read_text()
    environment = next(iter(parse_configuration(text.encode(), "release.toml").environments.values()))
    slow = Strategy(kind=StrategyKind.CANARY, canary=Canary(seconds=14400))
    found = patient(dataclasses.replace(environment, target="kubernetes", strategy=slow))
    pauses = [min(5 * 3**number, found["max_retry_delay"].total_seconds()) for number in range(found["retries"])]
    assert sum(pauses) > 2 * (14400 + 2 * environment.rollout_timeout_seconds)
    assert dag_of("rollback").get_task("roll_out").retries > 4


def test_a_rollback_asks_for_a_reason() -> None:
    """A rollback without a reason is refused by the form."""
    assert dag_of("rollback").params.get_param("reason").schema["minLength"] == 3


@pytest.mark.parametrize("name", ["nightly_release", "rollback"])
def test_a_wrong_configuration_is_an_import_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong release.toml keeps the DAG from loading, with every fault and the file's name."""
    file = tmp_path / "release.toml"
    file.write_text("name = 1\n[judge]\nmin_acuracy = 2\n")
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(file))
    with pytest.raises(ConfigurationError) as caught:
        load(name)
    assert str(file) in str(caught.value)
    assert "name: found a number 1" in str(caught.value)
    assert "did you mean 'min_accuracy'" in str(caught.value)


@pytest.mark.parametrize("name", ["nightly_release", "rollback"])
def test_it_explains_itself(name: str) -> None:
    """A DAG's page in Airflow says what it does."""
    assert len(str(dag_of(name).doc_md)) > 200


@pytest.mark.parametrize("name", ["nightly_release", "rollback"])
def test_the_run_is_coloured_by_settle(name: str) -> None:
    """What is removed after the verdict does not change it: a teardown does not count for the run's state."""
    dag = dag_of(name)
    retire = dag.get_task("retire")
    assert retire.upstream_task_ids >= {"settle"}
    assert retire.is_teardown
    assert not retire.on_failure_fail_dagrun
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids - {"retire"} and not task.is_teardown] == ["settle"]


def test_the_first_night_is_the_next_one(night: DAG) -> None:
    """An installation that is made just after a night's time waits for the next: nothing is configured in it yet."""
    assert isinstance(night.schedule, CronTriggerTimetable)
    missed = datetime.now(UTC) - timedelta(minutes=2)
    timetable = SchedulersTimetable(
        f"{missed.minute} {missed.hour} * * *", timezone="UTC", run_immediately=night.schedule.run_immediately
    )
    first = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=TimeRestriction(None, None, False))
    assert first is not None
    assert first.run_after > datetime.now(UTC)
