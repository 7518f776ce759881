"""The verdicts of benchmarks/serving.py."""

from types import ModuleType
from typing import Any

import pytest


def row(table: ModuleType, key: str, start_seconds: float = 0.5) -> Any:
    every = (1.0, 1.0, 1.0)
    return table.Row(key, key, (1, 16, 64), every, every, every, every, 0, start_seconds, 1e6, 1e6)


@pytest.mark.parametrize(("seconds", "verdict"), [(0.64, "met"), (1.49, "met"), (1.5, "MISSED"), (2.0, "MISSED")])
def test_the_start_is_judged(serving_table: ModuleType, seconds: float, verdict: str) -> None:
    """The app with the small model is to answer in less than 1.5 s, whether or not peers were measured."""
    app = row(serving_table, "app", seconds)
    expected = f"{seconds:.2f} s from start to first answer (target: less than 1.5): {verdict}"
    assert serving_table._verdicts("digits", {"app": app}) == [expected]
    assert serving_table._verdicts("digits", {"app": app, "gunicorn": row(serving_table, "gunicorn")}).count(expected) == 1


def test_the_large_model_may_take_longer(serving_table: ModuleType) -> None:
    """How long the large model takes to load is not judged."""
    assert serving_table._verdicts("resnet50", {"app": row(serving_table, "app", 9.0)}) == []
