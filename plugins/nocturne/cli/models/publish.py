"""`nocturne models publish`."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, err, out, print_json
from nocturne.composition import ConnectedWorld
from nocturne.domain.errors import ConfigurationError
from nocturne.steps.publish_model import Sign, Terms, publish_model

PASSWORD_VARIABLE = "NOCTURNE_SIGNING_PASSWORD"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Holds model.json (the card) and the files of the model.")]
Key = Annotated[
    Path | None,
    typer.Option(metavar="KEY", help=f"Sign it with the private key in this PEM file; {PASSWORD_VARIABLE} holds its password."),
]


@commands.command()
def publish(
    folder: Folder,
    version: Annotated[
        str | None, typer.Option(help="Name of the version; by default the time and the start of the digest.")
    ] = None,
    sign: Key = None,
    json: Json = False,
) -> None:
    """Publish a model: its files, then its manifest, then the `latest` pointer. The next night takes it.

    A publishing that broke off is gone on with by publishing the same folder again.

    Exit codes: 0 published, 3 the folder is not a model that can be published, 6 the version exists already.
    """
    world = workplace.world()
    terms = Terms(world.configuration.model.formats, _signing(world, sign))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress("uploading", *columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("upload", total=size)

        def note(text: str) -> None:
            err.print(text, markup=False)

        def moved(count: int) -> None:
            bar.update(task, advance=count)

        manifest = publish_model(world.models, folder, version, world.clock, moved, note, terms)
    if json:
        found = {"version": manifest.version, "digest": manifest.digest, "size": manifest.size, "files": manifest.files}
        print_json({**found, "signed": terms.sign is not None})
    else:
        signed = ", signed" if terms.sign else ""
        out.print(f"published {manifest.name} {manifest.version}: {manifest.digest}, {manifest.size:,} bytes{signed}", markup=False)


def _signing(world: ConnectedWorld, key: Path | None) -> Sign | None:
    if key is None:
        return None
    if not key.is_file():
        raise ConfigurationError("--sign", [f"found no file {key}, expected a PEM file with a private key"])
    password = os.environ.get(PASSWORD_VARIABLE, "")
    return lambda folder, paths: world.signatures.sign(folder, paths, key, password)
