"""`nocturne ledger`: the database behind it all: its tables' revision, and moving it as a whole."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from nocturne.cli import workplace
from nocturne.cli.output import Json, err, out, print_facts, print_json
from nocturne.composition import deployed_configuration
from nocturne.domain.errors import Broken, Conflict

if TYPE_CHECKING:
    from nocturne.adapters.sql_ledger.database import Database
    from nocturne.adapters.sql_ledger.portable import Totals

commands = typer.Typer(no_args_is_help=True, help="See to the ledger's database: its revision, and moving it to another one.")

File = Annotated[str, typer.Argument(metavar="FILE", help="A path, or - for standard output or input.")]


@commands.command()
def revision(json: Json = False) -> None:
    """Tell which revision of its tables the database holds, and which ones this program knows; nothing is changed."""
    from nocturne.adapters.sql_ledger import schema

    database = _database()
    held, known = _held(database), schema.revisions()
    if json:
        print_json({"database": database.name, "revision": held, "known": known})
        return
    print_facts([("database", database.name), ("holds", held), ("known here", ", ".join(known))])


@commands.command()
def upgrade(json: Json = False) -> None:
    """Bring the tables to the newest revision, or make them; every other command that needs them does so by itself."""
    from nocturne.adapters.sql_ledger import schema

    database = _database()
    before = _held(database)
    schema.upgrade(database)
    _tell_change(database, before, schema.HEAD, json)


@commands.command()
def downgrade(
    to: Annotated[str, typer.Argument(metavar="REVISION", help="`nocturne ledger revision` lists them; base removes every table.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Take the tables back to an older revision, for an older Nocturne; what those cannot hold is lost.

    Stop everything that uses the ledger first: the next command or task of this version brings it forward again.
    """
    from nocturne.adapters.sql_ledger import schema

    database = _database()
    before = _held(database)
    if not yes:
        question = f"Take {database.name} from revision {before} back to {to}, and lose what that cannot hold?"
        typer.confirm(question, abort=True, err=True)
    schema.downgrade(database, to)
    _tell_change(database, before, to, json)


@commands.command("export")
def export_(file: File, json: Json = False) -> None:
    """Write the whole ledger, as it is at this moment, into a new file that any database can be filled from."""
    from nocturne.adapters.sql_ledger import transfer

    database = _database()
    with _new_file(file) as stream:
        totals = transfer.export(database, stream)
    _tell_totals(f"exported from {database.name}", totals, json, quiet=file == "-")


@commands.command("import")
def import_(file: File, json: Json = False) -> None:
    """Fill an empty ledger from an exported file: all of it, or nothing."""
    from nocturne.adapters.sql_ledger import transfer

    database = _database()
    with _old_file(file) as stream:
        totals = transfer.import_(database, stream)
    _tell_totals(f"imported into {database.name}", totals, json)


def _database() -> "Database":
    """Not by way of the world's ledger, which is brought up to date when it is opened."""
    from nocturne.adapters.sql_ledger.database import Database

    workplace.join_sandbox()
    return Database(workplace.connection(deployed_configuration().ledger).required("url"))


def _held(database: "Database") -> str:
    from nocturne.adapters.sql_ledger import schema

    # Looking must not make the file.
    there = database.path is None or database.path.exists()
    return (schema.current(database) if there else None) or schema.BASE


@contextmanager
def _new_file(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    try:
        # For its owner's eyes only: reasons quote what programs printed.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise Conflict(f"{path} is there already, expected no file", advice="name a new file, or move that one away") from error
    except OSError as error:
        raise Broken(f"{path} cannot be made: {error}", advice="name a file in a folder that can be written") from error
    try:
        with _written_to(path) as stream:
            yield stream
    except BaseException:
        path.unlink()
        raise


@contextmanager
def _written_to(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise Broken(f"{path} cannot be written: {error}", advice="make room on its disk, then try again") from error


@contextmanager
def _old_file(file: str) -> Iterator[BinaryIO]:
    """It is read twice, which standard input cannot be."""
    try:
        with tempfile.TemporaryFile() if file == "-" else Path(file).open("rb") as stream:
            if file == "-":
                shutil.copyfileobj(sys.stdin.buffer, stream)
                stream.seek(0)
            yield stream
    except OSError as error:
        raise Broken(f"{file} cannot be read: {error}", advice="name a file that `nocturne ledger export` wrote") from error


def _tell_change(database: "Database", before: str, after: str, json: bool) -> None:
    if json:
        print_json({"database": database.name, "before": before, "revision": after})
    elif before == after:
        out.print(f"{database.name} holds revision {after} already", markup=False)
    else:
        out.print(f"{database.name} went from revision {before} to {after}", markup=False)


def _tell_totals(what: str, totals: "Totals", json: bool, quiet: bool = False) -> None:
    if json and not quiet:
        print_json(totals)
        return
    counts = ", ".join(f"{count} {table}" for table, count in totals.rows.items())
    (err if quiet else out).print(f"{what}: {counts}; SHA-256 {totals.sha256}", markup=False)
