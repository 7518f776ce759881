"""What is in a model's files, as far as it can be told without loading them. To blame for it is the model's digest."""

import json
from pathlib import Path, PurePosixPath

from nocturne.domain.errors import Rejected
from nocturne.domain.model import CARD, MAX_CARD_BYTES, FrozenModel
from nocturne.domain.records import Evidence, Subject
from nocturne.ports.model_inspector import InspectionLimits
from nocturne.steps.memory import recall, remember
from nocturne.steps.pickles import is_pickle
from nocturne.steps.world import Outcome, Run, World

_ONNX = ".onnx"
_LISTED = 10


def check_size(world: World, model: FrozenModel) -> None:
    """Raises Rejected for a model that is larger than allowed; needs none of its files."""
    limit = world.configuration.model.max_bytes
    if model.size > limit:
        # Neither half is to blame alone: another commit of the code may allow more.
        raise Rejected(
            f"model {model.label} has {model.size:,} bytes, expected {limit:,} at most",
            advice="publish a smaller one, or allow more with model.max_bytes in release.toml",
        )


def check_content(world: World, run: Run, model: FrozenModel, folder: Path) -> Outcome:
    """Format and structure of the files in `folder`; skipped where the inspection is remembered. Raises Rejected."""
    main = _model_file(world, model, folder)
    found = [file.path for file in model.files if is_pickle(folder / file.path, file.path)]
    if found:
        what = "a pickle, which runs whatever code is in it when it is loaded"
        raise _bad(model, *(f"{path} is {what}" for path in found))
    return _inspected(world, run, model, folder, main)


def _model_file(world: World, model: FrozenModel, folder: Path) -> str:
    """The card's model file, or where the card names none the only one of an allowed format."""
    formats, paths = world.configuration.model.formats, [file.path for file in model.files]
    wanted = f"a file that ends with {' or '.join(formats)}"
    found = _card(model, folder).get("model")
    if found is None:
        matching = [path for path in paths if path.lower().endswith(formats)]
        if len(matching) != 1:
            raise _bad(model, f"{CARD} names no model, and {len(matching)} of its files could be it: expected one, {wanted}")
        return matching[0]
    if found not in paths:
        raise _bad(model, f"{CARD} names the model {str(found)[:100]!r}, which is none of its files")
    if not str(found).lower().endswith(formats):
        # The digest is not to blame: another commit of the code may take this format.
        raise Rejected(
            f"the model of {model.label} is {found}, expected {wanted}",
            advice="export the model to ONNX, or allow another format with model.formats in release.toml",
        )
    return str(found)


def _card(model: FrozenModel, folder: Path) -> dict[str, object]:
    size = next((file.size for file in model.files if file.path == CARD), None)
    if size is None:
        raise _bad(model, f"it has no {CARD}")
    if size > MAX_CARD_BYTES:
        raise _bad(model, f"{CARD} has {size:,} bytes, expected {MAX_CARD_BYTES:,} at most")
    try:
        card = json.loads((folder / CARD).read_bytes())
    except (ValueError, RecursionError) as error:
        raise _bad(model, f"{CARD} is not JSON: {str(error)[:200]}") from error
    if not isinstance(card, dict):
        raise _bad(model, f"{CARD}: found {type(card).__name__}, expected an object")
    return card


def _inspected(world: World, run: Run, model: FrozenModel, folder: Path, main: str) -> Outcome:
    # Whatever the card says, an app may load any of them.
    chosen = [file.path for file in model.files if PurePosixPath(file.path).suffix.lower() == _ONNX]
    but = "" if main in chosen else f", but not {main}, which is not ONNX"
    known = recall(world, run, Subject.INSPECTION, model.digest) if chosen else None
    if not chosen or (known and known.passed):
        return Outcome((f"inspected on {known.recorded_at[:10]}" if known else "not inspected") + but, skipped=True)
    settings = world.configuration.model
    limits = InspectionLimits(settings.inspect_seconds, settings.inspect_memory_bytes)
    faults = [f"{path}: {fault}" for path in chosen for fault in world.inspector.faults(folder, path, limits)]
    remember(world, run, Evidence(Subject.INSPECTION, model.digest, not faults, run.id, "", {"faults": faults}))
    if faults:
        raise _bad(model, *faults)
    return Outcome(f"inspected{but}")


def _bad(model: FrozenModel, *faults: str) -> Rejected:
    """Blamed on the files themselves, under whatever version they are published."""
    more = f"\n  - and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
    listing = "".join(f"\n  - {fault}" for fault in faults[:_LISTED]) + more
    advice = "correct the model, and publish it as a new version"
    return Rejected(f"model {model.label} is refused:{listing}", advice=advice, culprits=(model.digest,))
