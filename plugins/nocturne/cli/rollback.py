"""`nocturne rollback`."""

from typing import Annotated

import typer

from nocturne.cli import workplace
from nocturne.cli.output import Json
from nocturne.cli.release import start


def rollback(
    environment: Annotated[str, typer.Argument(help="Where to go back.")],
    reason: Annotated[str, typer.Option(help="Why; everybody who looks at the hold sees it.")],
    to: Annotated[
        str | None, typer.Option(metavar="ID", help="The release; by default the last verified one that users do not get now.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Follow the run to its verdict, which is the exit code.")] = True,
    json: Json = False,
) -> None:
    """Put a release that was verified before back into production, and hold nights until `nocturne release resume`.

    A night that compares a canary just then ends at once. Exit codes: 0 it is back and verified, 4 broken: what was live before is
    still, or is back.
    """
    world = workplace.world()
    world.configuration.environment(environment)
    release = world.ledger.release(to).id if to else None
    start("rollback", {"environment": environment, "release": release, "reason": reason}, "choose_release", wait, json)
