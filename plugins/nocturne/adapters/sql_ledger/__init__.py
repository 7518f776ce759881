"""The ledger in a SQL database: SQLite by default, PostgreSQL in production."""

from nocturne.adapters.sql_ledger.ledger import SqlLedger

__all__ = ["SqlLedger"]
