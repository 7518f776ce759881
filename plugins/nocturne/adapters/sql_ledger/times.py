"""Moments as the ledger writes them."""

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """RFC 3339, UTC, milliseconds always there (`2026-11-20T02:00:00.000Z`), so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
