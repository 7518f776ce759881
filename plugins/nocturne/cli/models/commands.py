"""The group that every command about models registers itself with."""

import typer

commands = typer.Typer(no_args_is_help=True, help="Publish models, and list what was published.")
