"""A data scientist's folder, looked at before it is published: every fault at once."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nocturne.domain import strict_json
from nocturne.domain.errors import Rejected
from nocturne.domain.model import CARD, MANIFEST, MAX_CARD_BYTES, SIGNATURE, ModelFile, check_version, safe_path
from nocturne.steps.pickles import is_pickle

# What is in them is loaded by libraries that can be made to run code, or cannot be looked at before: numpy's archives may hold
# pickles (https://numpy.org/doc/stable/reference/generated/numpy.load.html), Keras' and HDF5's models may hold Python functions
# (https://keras.io/api/layers/core_layers/lambda/).
_ARCHIVES = frozenset({".zip", ".npz", ".keras", ".h5", ".hdf5"})
_SHOWN_AS_IS = re.compile(r"[^\x00-\x1f\x7f\\\ud800-\udfff]+")


@dataclass(frozen=True)
class ModelFolder:
    """What would be published. card: the parsed `model.json`. paths: relative, sorted. size: bytes. ignored: hidden files, and a
    signature that was made elsewhere.
    """

    root: Path
    card: dict[str, Any]
    paths: tuple[str, ...]
    size: int
    ignored: tuple[str, ...]

    @property
    def name(self) -> str:
        """The model's name, from its card."""
        return str(self.card["name"])

    def hashed(self) -> tuple[ModelFile, ...]:
        """The files with their digests; reads them all."""
        return tuple(_hashed(self.root, path) for path in self.paths)


def look_at(root: Path, version: str | None = None, formats: tuple[str, ...] = (".onnx",)) -> ModelFolder:
    """What publishing the folder would publish. Raises Rejected with every fault found, of the wished version's name as well.

    formats: the suffixes that the card's model file may have.
    """
    if not root.is_dir():
        raise Rejected(f"{root} is not a folder", advice="name the folder that your training wrote, with model.json in it")
    faults = _version_faults(version)
    ignored: list[str] = []
    paths = sorted(_walk(root, "", faults, ignored))
    for path in paths:
        faults += _file_faults(root, path, formats)
    card = _read_card(root, faults)
    faults += _card_faults(card, paths) + _format_faults(card, paths, formats)
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        raise Rejected(f"{root} cannot be published:{listing}", advice="correct the folder, or write it again with your training")
    return ModelFolder(root, card, tuple(paths), sum((root / path).stat().st_size for path in paths), tuple(ignored))


def _walk(root: Path, below: str, faults: list[str], ignored: list[str]) -> Iterator[str]:
    for entry in sorted(os.scandir(root / below), key=lambda entry: entry.name):
        path = f"{below}{entry.name}"
        if entry.name.startswith(".") or path == SIGNATURE:
            ignored.append(path)
        elif entry.is_symlink() and (fault := _link_fault(root, path)):
            faults.append(fault)
        elif entry.is_dir():
            yield from _walk(root, f"{path}/", faults, ignored)
        elif entry.is_file():
            yield path
        else:
            faults.append(f"{path!r} is neither a file nor a folder")


def _link_fault(root: Path, path: str) -> str:
    target = (root / path).resolve()
    if not target.is_relative_to(root.resolve()):
        return f"{path!r} is a link that leaves the folder; put the file itself there"
    if target.is_dir():
        return f"{path!r} is a link to a folder; put the files themselves there"
    return "" if target.is_file() else f"{path!r} is a link to nothing"


def _file_faults(root: Path, path: str, formats: tuple[str, ...]) -> list[str]:
    file = root / path
    faults = []
    if not safe_path(path) or not _SHOWN_AS_IS.fullmatch(path):
        faults.append(f"{path!r} has characters that cannot stand in a blob's name")
    if path == MANIFEST:
        faults.append(f"{MANIFEST} is the name of what publishing writes; remove it or call it something else")
    size = file.stat().st_size
    if size == 0:
        faults.append(f"{path!r} is empty")
    if path == CARD and size > MAX_CARD_BYTES:
        faults.append(f"{CARD} has {size:,} bytes, expected {MAX_CARD_BYTES:,} at most")
    if is_pickle(file, path):
        faults.append(f"{path!r} is a pickle, which runs whatever code is in it when it is loaded; export the model to ONNX")
    elif (suffix := file.suffix.lower()) in _ARCHIVES and suffix not in formats:
        faults.append(f"{path!r} is an archive ({suffix}), in which pickles and functions can hide; export the model to ONNX")
    return faults


def _format_faults(card: dict[str, Any], paths: list[str], formats: tuple[str, ...]) -> list[str]:
    model = card.get("model")
    if model not in paths or str(model).lower().endswith(formats):
        return []
    return [f"{CARD}: model is {model!r}, expected a file that ends with {' or '.join(formats)} (model.formats in release.toml)"]


def _read_card(root: Path, faults: list[str]) -> dict[str, Any]:
    try:
        card = strict_json.loads((root / CARD).read_bytes())
    except FileNotFoundError:
        faults.append(f"{CARD} is missing: the card, on which your training says what the model takes and gives")
        return {}
    except ValueError as error:
        faults.append(f"{CARD} is not JSON: {error}")
        return {}
    if not isinstance(card, dict):
        faults.append(f"{CARD}: found {type(card).__name__}, expected an object")
        return {}
    if not card:
        faults.append(f"{CARD} is an empty object")
    return card


def _card_faults(card: dict[str, Any], paths: list[str]) -> list[str]:
    """What is wrong with the part of a card that the release depends on; the app judges the rest when it loads the model."""
    if not card:
        return []
    faults = [] if card.get("schema") == 1 else [f"{CARD}: schema is {card.get('schema')!r}, expected 1"]
    name = card.get("name")
    if not isinstance(name, str) or _version_faults(name):
        faults.append(f"{CARD}: name is {name!r}, expected a text of letters, digits and . _ + - (100 at most)")
    if card.get("model") not in paths:
        faults.append(f"{CARD}: model is {card.get('model')!r}, expected one of the files: {', '.join(paths)}")
    undescribed = [key for key in ("input", "output") if not isinstance(card.get(key), dict) or not card[key]]
    faults += [f"{CARD}: {key} is {card.get(key)!r}, expected an object that describes it" for key in undescribed]
    return faults + _labels_faults(card.get("labels"), paths) + _metrics_faults(card.get("metrics", {}))


def _labels_faults(labels: Any, paths: list[str]) -> list[str]:
    if isinstance(labels, str) and labels:
        if labels in paths:
            return []
        return [f"{CARD}: labels is {labels!r}, expected a list of texts, or one of the files: {', '.join(paths)}"]
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) and label for label in labels):
        return [f"{CARD}: labels is {labels!r}, expected a list of texts"]
    twice = [label for label, count in Counter(labels).items() if count > 1]
    return [f"{CARD}: labels names {', '.join(twice)} more than once"] if twice else []


def _metrics_faults(metrics: Any) -> list[str]:
    if not isinstance(metrics, dict):
        return [f"{CARD}: metrics is {metrics!r}, expected an object of numbers"]
    wrong = {key: value for key, value in metrics.items() if isinstance(value, bool) or not isinstance(value, int | float)}
    return [f"{CARD}: metrics.{key} is {value!r}, expected a number" for key, value in wrong.items()]


def _version_faults(version: str | None) -> list[str]:
    if version is None:
        return []
    try:
        check_version(version)
    except ValueError as error:
        return [str(error)]
    return ["a version cannot be called 'latest': that is the pointer's name"] if version == "latest" else []


def _hashed(root: Path, path: str) -> ModelFile:
    with (root / path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return ModelFile(path, file.tell(), f"sha256:{sha256}")
