"""`nocturne models latest`."""

from typing import Annotated

import typer

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, out, print_json


@commands.command()
def latest(version: Annotated[str, typer.Argument(help="A published version.")], json: Json = False) -> None:
    """Make a published version the latest: the next night takes it.

    Exit codes: 0 it is, 3 the version is damaged, 5 there is no such version, 6 the pointer moved meanwhile, or decides nothing and
    another version is the latest.
    """
    before = workplace.world().models.point(version)
    if json:
        print_json({"latest": version, "before": before or None})
    elif before == version:
        out.print(f"{version} was the latest already", markup=False)
    else:
        out.print(f"{version} is the latest now; it was {before or 'none'}", markup=False)
