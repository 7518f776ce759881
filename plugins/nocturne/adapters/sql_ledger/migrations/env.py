"""Run by Alembic for every command: says which database and which tables it is about."""

from alembic import context

from nocturne.adapters.sql_ledger.tables import metadata


def _run() -> None:
    attributes = context.config.attributes
    online = {"connection": attributes["connection"]} if attributes["connection"] is not None else {"dialect_name": "sqlite"}
    context.configure(
        **online,
        target_metadata=metadata,
        version_table=attributes["version_table"],
        literal_binds=context.is_offline_mode(),
        # SQLite cannot alter a column: Alembic makes the table anew there.
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
