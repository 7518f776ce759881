"""What evidence says of a release: as values for scripts, and in words for people.

Details are read one by one: what an older version recorded lacks some, and is shown without them.
"""

from collections.abc import Iterable
from typing import Any

from nocturne.cli.output import day
from nocturne.domain.records import Evidence, Subject

_GATES = (Subject.TESTS, Subject.INSPECTION, Subject.JUDGEMENT, Subject.TRIAL)
_LISTED = 3  # faults that a line names


def signer(evidence: Iterable[Evidence]) -> str | None:
    """By whom the model was found to be signed; None where nobody has looked."""
    found = (_text(item.details, "signer") for item in evidence if item.subject is Subject.SIGNATURE and item.passed)
    return next((name for name in found if name), None)


def verdicts(evidence: Iterable[Evidence]) -> dict[str, dict[str, Any]]:
    """Values by subject. Shares are from 0 to 1; what is not known is None."""
    return {item.subject.value: _common(item) | _own(item) for item in evidence if item.subject in (*_GATES, Subject.SHADOW)}


def in_words(evidence: Iterable[Evidence]) -> list[tuple[str, str]]:
    """Subject and sentence of each, for people."""
    return [(item.subject.value, _sentence(item)) for item in evidence if item.subject is not Subject.SIGNATURE]


def _common(item: Evidence) -> dict[str, Any]:
    passed = {} if item.subject is Subject.SHADOW else {"passed": item.passed}
    return {**passed, "recorded_at": item.recorded_at, "run": item.run_id}


def _own(item: Evidence) -> dict[str, Any]:
    details = item.details
    match item.subject:
        case Subject.JUDGEMENT:
            return _judged(details)
        case Subject.INSPECTION:
            return {"faults": _texts(details, "faults")}
        case Subject.TESTS:
            return {"failed": _texts(details, "failed")}
        case Subject.TRIAL:
            return {"seconds_to_ready": _number(details, "seconds_to_ready")}
        case Subject.SHADOW:
            return {"kept": _number(details, "kept"), "different": _number(details, "different")}
    return {}


def _judged(details: dict[str, Any]) -> dict[str, Any]:
    label, recall = _lowest_recall(details)
    return {
        "verdict": _text(details, "verdict"),
        "accuracy": _number(details, "judgement", "accuracy"),
        "lowest_recall": recall,
        "lowest_recall_label": label,
        "accuracy_drop": _number(details, "contest", "drop"),
        "p_value": _number(details, "contest", "p"),
        "changed_answers": _number(details, "changed", "count"),
        "objections": _texts(details, "objections"),
        "unclear": _text(details, "unclear"),
        "blame": _text(details, "blame", "told"),
    }


def _lowest_recall(details: dict[str, Any]) -> tuple[str | None, float | None]:
    shares = {}
    for label in _table(details, "judgement", "recall"):
        right, samples = (_number(details, "judgement", "recall", label, name) for name in ("right", "samples"))
        if right is not None and samples:
            shares[label] = right / samples
    return min(shares.items(), key=lambda item: item[1], default=(None, None))


def _sentence(item: Evidence) -> str:
    told = ", ".join(_told(item))
    when = f"{day(item.recorded_at)} UTC, run {item.run_id}"
    if item.subject is Subject.SHADOW:
        return f"{told} ({when})"
    verdict = _text(item.details, "verdict") or ("good" if item.passed else "bad")
    return f"{verdict}, {when}" + (f": {told}" if told else "")


def _told(item: Evidence) -> list[str]:
    values = _own(item)
    match item.subject:
        case Subject.JUDGEMENT:
            return _judgement_in_words(values)
        case Subject.TRIAL if values["seconds_to_ready"] is not None:
            return [f"ready after {values['seconds_to_ready']:.1f} s"]
        case Subject.SHADOW:
            return [f"of {values['kept'] or 0} kept requests {values['different'] or 0} are answered differently"]
        case Subject.INSPECTION:
            return _some(values["faults"])
        case Subject.TESTS:
            return _some(values["failed"])
    return []


def _judgement_in_words(values: dict[str, Any]) -> list[str]:
    found = []
    if values["accuracy"] is not None:
        found.append(f"accuracy {values['accuracy']:.2%}")
    if values["lowest_recall"] is not None:
        found.append(f"lowest recall {values['lowest_recall']:.2%} ({values['lowest_recall_label']})")
    if values["p_value"] is not None:
        found.append(f"p = {values['p_value']:.2g} for worse than the live release")
    if values["changed_answers"] is not None:
        found.append(f"{values['changed_answers']} answers changed")
    return [*found, *_some(values["objections"]), *filter(None, (values["unclear"], values["blame"]))]


def _some(texts: list[str]) -> list[str]:
    more = [f"and {len(texts) - _LISTED} more"] if len(texts) > _LISTED else []
    return [text.partition("\n")[0] for text in texts[:_LISTED]] + more


def _at(details: dict[str, Any], *path: str) -> Any:
    found: Any = details
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _table(details: dict[str, Any], *path: str) -> dict[str, Any]:
    found = _at(details, *path)
    return found if isinstance(found, dict) else {}


def _text(details: dict[str, Any], *path: str) -> str | None:
    found = _at(details, *path)
    return found if isinstance(found, str) and found else None


def _texts(details: dict[str, Any], *path: str) -> list[str]:
    found = _at(details, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _number(details: dict[str, Any], *path: str) -> int | float | None:
    found = _at(details, *path)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
