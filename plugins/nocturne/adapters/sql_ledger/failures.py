"""What a database's own words mean, and what to do about them."""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

_FULL = "make room on the database's disk, then try again; nothing was changed"
_RIGHTS = "give the role of the URL its rights back: it must own the ledger's tables, then try again; nothing was changed"
_READ_ONLY = "this server or file takes no writes: use the URL of the primary, or make the file writable; nothing was changed"
_WRITER = "another writer holds the ledger: look for a process that hangs, then try again; nothing was changed"
_ELSE = "check that the database is up and that the URL, the rights and the disk are right, then try again"

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_STATE = {
    "25006": _READ_ONLY,
    "25P03": "this process stood still in the middle of a change, which was undone: see what held it up, then try again",
    "3D000": "make the database, or correct its name in the URL",
    "3F000": _RIGHTS,
    "42501": _RIGHTS,
    "53100": _FULL,
    "53300": "the server has no connection left: raise its max_connections, or end what holds them, then try again",
    "55P03": _WRITER,
    "57014": "the server took too long for one statement: look at its load and its disk, then try again; nothing was changed",
}
# https://www.sqlite.org/rescode.html; an extended code has the primary one in its lowest byte.
_BY_CODE = {sqlite3.SQLITE_BUSY: _WRITER, sqlite3.SQLITE_FULL: _FULL, sqlite3.SQLITE_READONLY: _READ_ONLY}


def cause_of(error: SQLAlchemyError) -> str:
    """The database's own words."""
    return str(getattr(error, "orig", None) or error).strip()


def advice_for(error: SQLAlchemyError) -> str:
    """What to do about an error of the database."""
    origin = getattr(error, "orig", None)
    code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
    return _BY_STATE.get(getattr(origin, "sqlstate", None) or "") or _BY_CODE.get(code, _ELSE)
