"""`nocturne models show`."""

import json as json_text
from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, day, print_facts, print_json
from nocturne.domain.errors import Rejected
from nocturne.domain.model import ModelManifest
from nocturne.ports.model_store import ModelStore


@commands.command()
def show(
    version: Annotated[str | None, typer.Argument(help="A published version; by default the latest.")] = None, json: Json = False
) -> None:
    """Show a version's card: what the model takes and gives, its labels and metrics, its files, and whether it is signed.

    Exit codes: 0 shown, damaged or not; 3 its manifest, or which version is the latest, cannot be read; 5 there is no such version.
    """
    models = workplace.world().models
    name, signed, damage = _looked_at(models, version)
    manifest = models.manifest(name)
    if json:
        print_json({**vars(manifest), "digest": manifest.digest, "size": manifest.size, "signed": signed, "damage": damage})
        return
    print_facts(_facts(manifest, "yes" if signed else "unknown" if signed is None else "no", damage))


def _looked_at(models: ModelStore, version: str | None) -> tuple[str, bool | None, str]:
    """The version's name, whether there is a signature (None: nobody knows), and what is wrong with the version."""
    try:
        frozen = models.freeze(version)
    except Rejected as error:
        return version or models.latest_version(), None, error.message
    return frozen.version, bool(frozen.signature), ""


def _facts(manifest: ModelManifest, signed: str, damage: str) -> list[tuple[str, str]]:
    card = manifest.card
    facts = [
        ("model", f"{manifest.name} {manifest.version}"),
        ("digest", manifest.digest),
        ("published", f"{day(manifest.created_at)} (as its publisher's clock had it)"),
        ("signed", signed),
        ("labels", _text(card.get("labels"))),
        *((key, _text(card[key])) for key in card if key not in ("schema", "name", "labels", "metrics")),
        ("metrics", _text(card.get("metrics"))),
        ("files", "\n".join(f"{file.path}  {file.size:,} bytes  {file.sha256}" for file in manifest.files)),
    ]
    return [*facts, ("damaged", damage)] if damage else facts


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_json(part)}" for name, part in value.items()) or "-"
    return "-" if value is None else _json(value)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json_text.dumps(value, ensure_ascii=False)
