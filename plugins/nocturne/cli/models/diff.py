"""`nocturne models diff`."""

import json as json_text
from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, out, print_json, print_table
from nocturne.domain.model_difference import Change, differences

Version = Annotated[str, typer.Argument(help="A published version.")]


@commands.command()
def diff(before: Version, after: Version, json: Json = False) -> None:
    """Show what is different between two versions: files, labels, input and output, metrics.

    Exit codes: 0 shown, whatever was found; 3 a manifest cannot be read; 5 there is no such version.
    """
    models = workplace.world().models
    first, second = models.manifest(before), models.manifest(after)
    changes = differences(first, second)
    if json:
        print_json({"before": before, "after": after, "same_model": first.digest == second.digest, "changes": changes})
        return
    if first.digest == second.digest:
        out.print(f"the same files, digest {first.digest}", markup=False)
    rows = [(change.what, change.name, _text(change.before), _after(change)) for change in changes]
    print_table(("what", "which", before, after), rows, "Nothing is different.")


def _after(change: Change) -> str:
    return _text(change.after) + (f" ({change.delta:+g})" if change.delta is not None else "")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json_text.dumps(value, ensure_ascii=False)
