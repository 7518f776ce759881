"""`nocturne quarantine`: what was rejected, and will not be tried again."""

from typing import Annotated

import typer

from nocturne.cli import workplace
from nocturne.cli.output import Json, day, out, print_json, print_table
from nocturne.domain.errors import NotFound

commands = typer.Typer(no_args_is_help=True, help="List what was rejected, or give it another chance.")


@commands.command("list")
def list_(json: Json = False) -> None:
    """List releases (r-...), models (sha256:...) and code trees that were rejected, and why."""
    found = workplace.world().ledger.quarantined()
    if json:
        print_json(found)
        return
    rows = [(item.id, day(item.since), item.reason) for item in found]
    print_table(("id", "since (UTC)", "reason"), rows, "Nothing is in quarantine.")


@commands.command()
def lift(
    subject: Annotated[str, typer.Argument(metavar="ID", help="As `nocturne quarantine list` shows it.")], json: Json = False
) -> None:
    """Take an id out of quarantine, so that the next night may try it again."""
    if not workplace.world().ledger.lift_quarantine(subject):
        raise NotFound(f"{subject} is not in quarantine", advice="`nocturne quarantine list` shows the ids")
    if json:
        print_json({"id": subject, "lifted": True})
    else:
        out.print(f"{subject} is no longer in quarantine", markup=False)
