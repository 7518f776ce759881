"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    _releases()
    _deployments()
    _evidence()
    _quarantine()
    _holds()
    _leases()


def downgrade() -> None:
    """Remove every table, those that refer to others first."""
    for table in ("leases", "holds", "quarantine", "evidence", "deployment_events", "deployments", "releases"):
        op.drop_table(table)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str = "number") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), autoincrement=True, nullable=False)


def _releases() -> None:
    op.create_table(
        "releases",
        _number(),
        _text("id"),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("manifests", sa.JSON(), nullable=False),
        _text("created_at"),
        _text("state"),
        _text("image"),
        _text("reason"),
        sa.PrimaryKeyConstraint("number", name="pk_releases"),
        sa.UniqueConstraint("id", name="uq_releases_id"),
        sqlite_autoincrement=True,
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        _number("id"),
        *[_text(name) for name in ("release_id", "environment", "run_id", "cause", "requested_by", "state", "reason")],
        _text("started_at"),
        _text("changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name="fk_deployments_release_id"),
        sa.UniqueConstraint("run_id", "environment", "cause", name="uq_deployments_run_id_environment_cause"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deployments_environment_state", "deployments", ["environment", "state"])
    op.create_table(
        "deployment_events",
        _number("id"),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        _text("at"),
        _text("state"),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name="pk_deployment_events"),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name="fk_deployment_events_deployment_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deployment_events_deployment_id", "deployment_events", ["deployment_id"])


def _evidence() -> None:
    op.create_table(
        "evidence",
        _text("subject"),
        _text("key"),
        sa.Column("passed", sa.Boolean(), nullable=False),
        _text("run_id"),
        _text("recorded_at"),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "key", name="pk_evidence"),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        _number(),
        *[_text(name) for name in ("subject_id", "reason", "run_id", "since")],
        _text("lifted_at", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_quarantine"),
        sqlite_autoincrement=True,
    )
    _one_in_force("quarantine", "subject_id")


def _holds() -> None:
    op.create_table(
        "holds",
        _number(),
        *[_text(name) for name in ("environment", "set_by", "reason", "set_at")],
        _text("lifted_by", nullable=True),
        _text("lifted_at", nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_holds"),
        sqlite_autoincrement=True,
    )
    _one_in_force("holds", "environment")


def _leases() -> None:
    op.create_table(
        "leases",
        *[_text(name) for name in ("environment", "run_id", "taken_at", "expires_at")],
        sa.PrimaryKeyConstraint("environment", name="pk_leases"),
    )


def _one_in_force(table: str, key: str) -> None:
    condition = sa.text("lifted_at IS NULL")
    name = f"uq_{table}_in_force"
    op.create_index(name, table, [key], unique=True, sqlite_where=condition, postgresql_where=condition)
