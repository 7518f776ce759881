"""What is different between two published versions of a model."""

from dataclasses import dataclass
from typing import Any

from nocturne.domain.model import ModelManifest


@dataclass(frozen=True)
class Change:
    """One difference. what: `files`, `labels`, `metrics` or another key of the card. name: which one of them, empty for the whole.

    before, after: what each version says, None where it says nothing. delta: after less before, for numbers.
    """

    what: str
    name: str
    before: Any
    after: Any
    delta: float | None = None


def differences(before: ModelManifest, after: ModelManifest) -> list[Change]:
    """Every difference of files (by digest and size), labels, metrics and the rest of the cards; empty for equal models."""
    changes = _files(before, after)
    keys = [key for key in {**before.card, **after.card} if key not in ("labels", "metrics")]
    changes += [Change(key, "", before.card.get(key), after.card.get(key)) for key in keys]
    changes += _labels(_list(before.card.get("labels")), _list(after.card.get("labels")))
    changes += _metrics(_table(before.card.get("metrics")), _table(after.card.get("metrics")))
    return [change for change in changes if change.before != change.after]


def _files(before: ModelManifest, after: ModelManifest) -> list[Change]:
    old, new = ({file.path: f"{file.sha256} ({file.size:,} bytes)" for file in one.files} for one in (before, after))
    return [Change("files", path, old.get(path), new.get(path)) for path in sorted(old | new)]


def _labels(before: list[Any], after: list[Any]) -> list[Change]:
    gone = [Change("labels", str(label), "there", None) for label in before if label not in after]
    come = [Change("labels", str(label), None, "there") for label in after if label not in before]
    if gone or come:
        return [*gone, *come]
    return [Change("labels", "order", before, after)]


def _metrics(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return [Change("metrics", name, before.get(name), after.get(name), _delta(before, after, name)) for name in {**before, **after}]


def _delta(before: dict[str, Any], after: dict[str, Any], name: str) -> float | None:
    first, second = before.get(name), after.get(name)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (first, second)):
        return None
    return round(float(second) - float(first), 12)  # type: ignore[arg-type]  # looked at a line above


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
