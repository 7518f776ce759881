"""Revisions after the newest one, for tests of how any revision fares."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import Connection

from nocturne.adapters.sql_ledger import schema

NEXT = f"{int(schema.HEAD) + 1:04}"

# SQLite makes the table anew, as it must for most changes of a column.
_RECREATE = 'def recreate():\n    return "always" if op.get_bind().dialect.name == "sqlite" else "never"\n\n\n'
GOOD = """
    with op.batch_alter_table("releases", recreate=recreate(), table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
    op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True),
                    sa.Column("release_id", sa.Text(), sa.ForeignKey("releases.id")))
"""
BACK = """
    op.drop_table("notes")
    with op.batch_alter_table("releases", recreate=recreate(), table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("note")
"""


def next_revision(folder: Path, monkeypatch: pytest.MonkeyPatch, upgrade: str = GOOD, downgrade: str = BACK) -> None:
    """Let the program know one revision more, made of these statements."""
    folder.mkdir()
    lines = f'revision = "{NEXT}"\ndown_revision = "{schema.HEAD}"\n\n\ndef upgrade():{upgrade}\n\ndef downgrade():{downgrade}'
    (folder / f"v{NEXT}.py").write_text(f"import sqlalchemy as sa\nfrom alembic import op\n\n{_RECREATE}{lines}")
    monkeypatch.setattr(schema, "alembic_config", _with_folder(folder, schema.alembic_config))
    monkeypatch.setattr(schema, "HEAD", NEXT)


def _with_folder(folder: Path, known: Callable[[Connection | None], Config]) -> Callable[[Connection | None], Config]:
    def config(connection: Connection | None = None) -> Config:
        made = known(connection)
        made.set_main_option("path_separator", "os")
        made.set_main_option("version_locations", f"{made.get_main_option('script_location')}/versions{os.pathsep}{folder}")
        return made

    return config
