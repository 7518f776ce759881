"""Ask a new image what users asked the live release, where the app keeps a few of their requests.

It is information for people, and never a verdict: nobody knows which of two different answers is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nocturne.domain.errors import NocturneError
from nocturne.domain.golden import GoldenSet, score_request, top_labels
from nocturne.domain.records import Evidence, Subject
from nocturne.ports.app_client import Answer, AppClient
from nocturne.steps.memory import remember
from nocturne.steps.world import Run, World

_MOST = 200
"""Requests that are asked again, the newest of those that were kept."""
_SECONDS = 60
"""For all of them together: a slow image must not use up the time in which it is tried out."""
_EXAMPLES = 5
_LONGEST_LABEL = 40


@dataclass(frozen=True)
class _Kept:
    """One request of a user. image: base64, as it was sent. label: the live release's best."""

    image: str
    label: str


class _NothingToAsk(NocturneError):
    """Why there are no requests to ask again, in a sentence."""


def compare_kept_requests(world: World, run: Run, image: str, tried: AppClient, golden: GoldenSet) -> None:
    """Log how many answers differ from the live release's, and remember the numbers. tried: asks the image, which runs just now.

    Does nothing unless `judge.shadow` is set. What keeps it from comparing is logged, and changes nothing else.
    """
    if not world.configuration.judge.shadow:
        return
    try:
        kept = _kept_requests(world, run, golden)
        answered = [(each.label, found) for each, found in _asked(world, tried, kept)]
    except NocturneError as error:
        world.log(f"shadow answers: nothing was compared: {error.message}")
        return
    differences = [(live, new) for live, new in answered if live != new]
    examples = "".join(f"; {_short(live)} became {_short(new)}" for live, new in differences[:_EXAMPLES])
    left = len(kept) - len(answered)
    late = f" ({left} more were not asked: {_SECONDS} s were up)" if left else ""
    world.log(f"shadow answers: of {len(answered)} kept requests{late} {len(differences)} are answered differently{examples}")
    # Numbers only: what users sent is kept nowhere else than in the app.
    details = {"kept": len(answered), "different": len(differences)}
    remember(world, run, Evidence(Subject.SHADOW, image, True, run.id, "", details))


def _kept_requests(world: World, run: Run, golden: GoldenSet) -> list[_Kept]:
    """The newest of users. Raises _NothingToAsk, Broken when nothing answers."""
    where = run.environment
    if not world.ledger.live(where):
        raise _NothingToAsk(f"nothing is live in {where} yet")
    client = world.samples(where)
    if client is None:
        raise _NothingToAsk(f"the connection of {where} has no samples_token, which must be the app's SAMPLES_TOKEN")
    answer = client.get("/samples")
    if answer.status != 200:
        raise _NothingToAsk(_refusal(answer))
    ours = set(golden.images)
    kept = [each for each in _parsed(answer.body) if each.image not in ours]
    if not kept:
        raise _NothingToAsk("the live release has kept no request of users yet")
    return kept[-_MOST:]


def _refusal(answer: Answer) -> str:
    known = {
        404: "the live release keeps no requests; it would with SAMPLES and SAMPLES_TOKEN set",
        401: "the live release refuses samples_token, which must be its SAMPLES_TOKEN",
    }
    return known.get(answer.status) or f"GET /samples answered {answer.status}: {str(answer.body)[:200]}"


def _parsed(body: Any) -> list[_Kept]:
    try:
        found = [(item["image"], item["labels"][0]) for item in body["samples"]]
    except (KeyError, IndexError, TypeError):
        found = [(None, None)]
    if not all(isinstance(image, str) and isinstance(label, str) for image, label in found):
        # Without what was found: there are images of users in it.
        expected = '{"samples": [{"image": "<base64>", "labels": ["7", ...]}, ...]}'
        raise _NothingToAsk(f"GET /samples answered something else than expected: {expected}")
    return [_Kept(image, label) for image, label in found]


def _asked(world: World, tried: AppClient, kept: list[_Kept]) -> Iterator[tuple[_Kept, str]]:
    """Each request with the new answer. One by one: an image that is refused now must not take others with it."""
    end = world.clock.now() + timedelta(seconds=_SECONDS)
    for each in kept:
        if world.clock.now() >= end:
            return
        answer = tried.post("/score", score_request((each.image,)))
        yield each, _best_label(answer)


def _best_label(answer: Answer) -> str:
    """What stands in its place where there is none cannot be a label of the live release by chance: it is told as it is."""
    if answer.status != 200:
        return f"status {answer.status}"
    try:
        return top_labels(answer.body)[0]
    except (ValueError, IndexError):
        return "no label"


def _short(label: str) -> str:
    return repr(label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 3]}...")
