"""Which model a night freezes: the newest, or the live release's where that one is refused and the app says so."""

from collections.abc import Callable
from dataclasses import dataclass

from nocturne.domain.errors import Rejected
from nocturne.domain.model import FrozenModel
from nocturne.steps.keep_model import model_to_keep, reason_to_keep
from nocturne.steps.world import Run, World


@dataclass(frozen=True)
class Chosen:
    """kept: why it is not the newest model, empty where it is. refused: the error with which the newest was refused just now."""

    model: FrozenModel
    kept: str = ""
    refused: Rejected | None = None


def choose_model(world: World, run: Run, newest: Callable[[], FrozenModel], named: bool) -> Chosen:
    """Freeze the newest model, or take the live release's as it was frozen then.

    newest: freezes it, and raises Rejected. named: a person has named the version, so no other is put in its place. world:
    configured as at the frozen commit.
    """
    live = None if named else model_to_keep(world, run)
    try:
        model = newest()
    except Rejected as error:
        if live is None:
            raise
        return Chosen(live.inputs.model, reason_to_keep(live.inputs, "the newest one is refused:", error.message), error)
    known = [] if live is None or run.force else world.ledger.quarantined(model.digest, model.label)
    if live is None or not known:
        return Chosen(model)
    since = f"{model.version} was rejected on {known[0].since[:19]} UTC:"
    return Chosen(live.inputs.model, reason_to_keep(live.inputs, since, known[0].reason))
