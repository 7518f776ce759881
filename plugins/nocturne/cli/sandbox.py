"""`nocturne sandbox`: everything on this machine, without a cloud.

The sandbox is imported by the commands themselves: Docker's client takes a second to load, and no other command needs it.
"""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nocturne.cli import exit_codes
from nocturne.cli.output import Json, out, print_json, print_table

if TYPE_CHECKING:
    from nocturne.sandbox import Settings

commands = typer.Typer(no_args_is_help=True, help="Start and stop everything on this machine: registry, store, Airflow, target.")


@commands.command()
def up(
    night: Annotated[bool, typer.Option(help="Publish a demo model where there is none, and run one night.")] = True,
) -> None:
    """Start what does not run, then run one night. Safe to repeat: what is done is not done again.

    Exit codes: those of `nocturne release run`.
    """
    from nocturne import sandbox
    from nocturne.cli import first_night
    from nocturne.cli.follow import leave
    from nocturne.sandbox.secret_file import load_or_make

    settings = _settings()
    with sandbox.report_on() as report:
        sandbox.up(settings, report)
        verdict = first_night.run(settings, report) if night else None
    secrets = load_or_make(settings.home)
    out.print(f"\napp      {first_night.app_address(settings)}", markup=False)
    out.print(f"Airflow  {settings.airflow_url}  (user {secrets.airflow_user}, password {secrets.airflow_password})", markup=False)
    if verdict is not None:
        out.print(f"night    {verdict['verdict']}: {verdict['message']}", markup=False)
        out.print(f"release  {first_night.live()}", markup=False)
        leave(verdict)


@commands.command()
def down() -> None:
    """Stop every process and container that `up` started; the data stays."""
    from nocturne import sandbox

    with sandbox.report_on() as report:
        sandbox.down(_settings(), report)


@commands.command()
def clean() -> None:
    """Stop everything and remove the data."""
    from nocturne import sandbox

    with sandbox.report_on() as report:
        sandbox.clean(_settings(), report)


@commands.command()
def status(json: Json = False) -> None:
    """Show which parts run. Exit code 4 when one does not."""
    from nocturne import sandbox

    parts = sandbox.status(_settings())
    if json:
        print_json(parts)
    else:
        rows = [(part.name, "up" if part.running else "down", part.detail, str(part.pid or "")) for part in parts]
        print_table(("part", "", "", "pid"), rows, "The sandbox has no parts.")
    if not all(part.running for part in parts):
        raise typer.Exit(exit_codes.BROKEN)


def _settings() -> "Settings":
    from nocturne.sandbox import Settings

    return Settings.from_environment(os.environ)
