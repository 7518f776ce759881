"""`nocturne models`: what data scientists publish."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from nocturne.cli import workplace
from nocturne.cli.output import Json, day, err, out, print_json, print_table
from nocturne.domain.model import ModelManifest
from nocturne.steps.publish_model import publish_model

commands = typer.Typer(no_args_is_help=True, help="Publish models, and list what was published.")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Holds model.json (the card) and the files of the model.")]


@commands.command()
def publish(
    folder: Folder,
    version: Annotated[
        str | None, typer.Option(help="Name of the version; by default the time and the start of the digest.")
    ] = None,
    json: Json = False,
) -> None:
    """Publish a model: its files, then its manifest, then the `latest` pointer. The next night takes it.

    Exit codes: 0 published, 3 the folder is not a model that can be published, 6 the version exists already.
    """
    world = workplace.world()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    with Progress(
        "uploading", BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=err, disable=not err.is_terminal
    ) as bar:
        task = bar.add_task("upload", total=size)
        manifest = publish_model(world.models, folder, version, world.clock, lambda moved: bar.update(task, advance=moved))
    if json:
        print_json({"version": manifest.version, "digest": manifest.digest, "size": manifest.size, "files": manifest.files})
    else:
        out.print(f"published {manifest.name} {manifest.version}: {manifest.digest}, {manifest.size:,} bytes", markup=False)


@commands.command("list")
def list_(json: Json = False) -> None:
    """List the published versions, newest first."""
    world = workplace.world()
    found = world.models.versions()
    rejected = {item.id: item.reason for item in world.ledger.quarantined()}
    if json:
        print_json(
            [
                {
                    "version": item.version,
                    "latest": item.latest,
                    "digest": item.manifest.digest,
                    "created_at": item.manifest.created_at,
                    "size": item.manifest.size,
                    "metrics": item.manifest.card.get("metrics", {}),
                    "rejected": _reason(rejected, item.manifest),
                }
                for item in found
            ]
        )
        return
    rows = []
    for item in found:
        metrics = ", ".join(f"{name} {value}" for name, value in item.manifest.card.get("metrics", {}).items())
        verdict = (_reason(rejected, item.manifest) or "").partition("\n")[0]
        mark = "latest" if item.latest else ""
        rows.append((item.version, mark, item.manifest.digest, day(item.manifest.created_at), metrics, verdict))
    print_table(
        ("version", "", "digest", "published (UTC)", "metrics", "rejected"),
        rows,
        "No model was published yet: `nocturne models publish DIR`.",
    )


def _reason(rejected: dict[str, str], manifest: ModelManifest) -> str | None:
    """Why a version was rejected: what is in it, or what the store holds under its name."""
    return rejected.get(manifest.digest) or rejected.get(f"{manifest.name}/{manifest.version}")
