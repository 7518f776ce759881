"""The command and its exit codes."""

import sys

import typer

from nocturne import __version__
from nocturne.cli import (
    doctor,
    ledger,
    models,
    quarantine,
    release,
    releases,
    role,
    rollback,
    sandbox,
    server,
    server_local_cloud,
    status,
)
from nocturne.cli.exit_codes import exit_code
from nocturne.cli.output import err
from nocturne.domain.errors import NocturneError

app = typer.Typer(
    name="nocturne",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Every night, the latest tested code with the latest good model is in production, or nothing changes.

    A first tour: `nocturne status` shows what is live, `nocturne releases` what was made, `nocturne release run --dry-run` what the
    next night would do and why, `nocturne doctor` whether everything it needs is there.

    Exit codes: 0 well, 2 wrong usage or configuration, 3 rejected (the release was refused), 4 broken (something is out of reach),
    5 not found, 6 conflict, 7 inconclusive (too few users of a canary, or a drop that may be chance).
    """,
)
app.add_typer(models.commands, name="models")
app.add_typer(release.commands, name="release")
app.add_typer(releases.commands, name="releases")
app.add_typer(quarantine.commands, name="quarantine")
app.add_typer(ledger.commands, name="ledger")
app.add_typer(sandbox.commands, name="sandbox")
server.commands.command("local-cloud")(server_local_cloud.local_cloud)
app.add_typer(server.commands, name="server")
app.command("status")(status.status)
app.command("rollback")(rollback.rollback)
app.command("doctor")(doctor.doctor)
app.command("role")(role.role)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def run() -> None:
    """The entry point: an error is told in a sentence, with what to do about it, and never as a traceback."""
    try:
        app()
    except NocturneError as error:
        err.print(f"{error.word}: {error}", markup=False)
        sys.exit(exit_code(error))
