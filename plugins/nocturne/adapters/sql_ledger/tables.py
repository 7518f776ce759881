"""The ledger's tables, as the newest migration leaves them.

Times are text in RFC 3339, UTC, with milliseconds always written: such texts sort as the moments they stand for, read the same
in both databases and need no conversion. Numbered keys are never used again, so that their order is the order of writing.
"""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

from nocturne.adapters.sql_ledger.words import Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

releases = Table(
    "releases",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Words, nullable=False, unique=True),
    Column("inputs", JSON, nullable=False),
    Column("manifests", JSON, nullable=False),
    Column("created_at", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("image", Words, nullable=False),
    Column("reason", Words, nullable=False),
    sqlite_autoincrement=True,
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("release_id", Words, ForeignKey(releases.c.id), nullable=False),
    Column("environment", Words, nullable=False),
    Column("run_id", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("requested_by", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("started_at", Words, nullable=False),
    Column("changed_at", Words, nullable=False),
    UniqueConstraint("run_id", "environment", "cause"),
    Index(None, "environment", "state"),
    sqlite_autoincrement=True,
)

deployment_events = Table(
    "deployment_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("deployment_id", Integer, ForeignKey(deployments.c.id), nullable=False, index=True),
    Column("at", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("reason", Words, nullable=False),
    sqlite_autoincrement=True,
)

evidence = Table(
    "evidence",
    metadata,
    Column("subject", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("run_id", Words, nullable=False),
    Column("recorded_at", Words, nullable=False),
    Column("details", JSON, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject_id", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("run_id", Words, nullable=False),
    Column("since", Words, nullable=False),
    Column("lifted_at", Words),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("environment", Words, nullable=False),
    Column("set_by", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("set_at", Words, nullable=False),
    Column("lifted_by", Words),
    Column("lifted_at", Words),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("environment", Words, primary_key=True),
    Column("run_id", Words, nullable=False),
    Column("taken_at", Words, nullable=False),
    Column("expires_at", Words, nullable=False),
)

# What was lifted stays as history; of what is in force there is at most one.
for table, key in ((quarantine, quarantine.c.subject_id), (holds, holds.c.environment)):
    in_force = table.c.lifted_at.is_(None)
    Index(f"uq_{table.name}_in_force", key, unique=True, sqlite_where=in_force, postgresql_where=in_force)
