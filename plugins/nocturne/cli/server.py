"""`nocturne server`: what docker-compose.yaml runs before the server's parts start."""

import os
from pathlib import Path
from typing import Annotated

import typer

from nocturne.cli.output import err, out

commands = typer.Typer(no_args_is_help=True, help="Prepare a server of one's own: secrets, databases, the administrator.")

_Folder = Annotated[Path, typer.Option(help="Folder of all secrets, one below it for each service.")]
_SECRETS = Path("/secrets")
_AIRFLOW_SECRETS = Path("/run/secrets/airflow")
_POSTGRES_PASSWORD = Path("/run/secrets/postgres/password")


@commands.command()
def setup(folder: _Folder = _SECRETS) -> None:
    """Make every password and key that is not there yet, and the file that each service reads its own from. Safe to repeat.

    The first time it shows the administrator's password.
    """
    from nocturne.server.server_secrets import ADMINISTRATOR
    from nocturne.server.settings import Settings
    from nocturne.server.setup import set_up

    settings = Settings.from_environment(os.environ)
    done = set_up(folder, settings)
    if done.first:
        _say(f"Airflow  {settings.airflow_url}  (user {ADMINISTRATOR}, password {done.secrets.admin_password})")
        _say("This is shown once. To see it again: docker compose run --rm setup nocturne server show-password")
    elif done.written:
        _say(f"wrote {', '.join(done.written)}")
    else:
        _say("all secrets are there")


@commands.command("show-password")
def show_password(folder: _Folder = _SECRETS) -> None:
    """Print the administrator's password, and nothing else."""
    from nocturne.server.setup import administrator_password

    typer.echo(administrator_password(folder))


@commands.command()
def rotate(
    name: Annotated[
        str,
        typer.Argument(
            help="admin_password, airflow_database, ledger_database, redis, blob, jwt, api or fernet.", show_default=False
        ),
    ],
    folder: _Folder = _SECRETS,
) -> None:
    """Give one secret a new value, and say what has to be done so that everybody takes it."""
    from nocturne.server import rotation
    from nocturne.server.settings import Settings

    afterwards = rotation.rotate(folder, Settings.from_environment(os.environ), name)
    _say("\n".join((f"{name} has a new value. Now:", *afterwards)))


@commands.command()
def databases(
    folder: Annotated[Path, typer.Option(help="Folder that Airflow reads its own secrets from.")] = _AIRFLOW_SECRETS,
    superuser: Annotated[
        str, typer.Option(envvar="NOCTURNE_DATABASE_SUPERUSER", help="Who may make roles and databases.")
    ] = "postgres",
    password_file: Annotated[
        Path, typer.Option(envvar="NOCTURNE_DATABASE_PASSWORD_FILE", help="File with that one's password.")
    ] = _POSTGRES_PASSWORD,
    host: Annotated[str | None, typer.Option(help="Another way to the server than that of Airflow's database.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port.")] = None,
    wait_seconds: Annotated[float, typer.Option(help="How long to wait for a server that is not up yet.")] = 60,
) -> None:
    """Bring PostgreSQL up to date: roles, databases, tables, the administrator. Safe to repeat, and quick when nothing is to do."""
    from nocturne.server.prepare import Server, prepare

    prepare(Server(folder, password_file, superuser, host, port, wait_seconds), lambda line: err.print(line, markup=False))
    _say("the databases are up to date")


def _say(text: str) -> None:
    out.print(text, markup=False)
