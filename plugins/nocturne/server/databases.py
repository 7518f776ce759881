"""The two databases and their roles: each role owns one, and may not even look into the other.

Source: https://www.postgresql.org/docs/current/ddl-priv.html
"""

from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from nocturne.domain.errors import ConfigurationError
from nocturne.server.superuser import Say


@dataclass(frozen=True)
class Account:
    """A role that signs in with a password, and the database that it owns."""

    role: str
    database: str
    password: str = field(repr=False)


def account_of(text: str, source: str) -> tuple[Account, URL]:
    """The account in a URL of PostgreSQL. Raises ConfigurationError, which does not repeat the URL."""
    try:
        url = make_url(text.strip())
    except ArgumentError as error:
        raise ConfigurationError(
            source, ["found no URL, expected postgresql+psycopg://ROLE:PASSWORD@HOST:PORT/DATABASE"]
        ) from error
    given = {"role": url.username, "password": url.password, "host": url.host, "database": url.database}
    faults = [f"the URL has no {name}" for name, value in given.items() if not value]
    if url.get_backend_name() != "postgresql":
        faults.append(f"found {url.get_backend_name()!r}, expected postgresql")
    if faults:
        raise ConfigurationError(source, faults)
    return Account(str(url.username), str(url.database), str(url.password)), url


def bring_up_to_date(connection: psycopg.Connection, accounts: list[Account], say: Say) -> None:
    """Make the roles and databases that are missing; passwords and rights are set each time. Raises psycopg.Error."""
    for account in accounts:
        _role(connection, account, say)
    for account in accounts:
        _database(connection, account, say)


def _role(connection: psycopg.Connection, account: Account, say: Say) -> None:
    role = sql.Identifier(account.role)
    if not _found(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", account.role):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        say(f"made the role {account.role}")
    # A verifier, not the password: the server's log may hold what is sent to it.
    verifier = connection.pgconn.encrypt_password(account.password.encode(), account.role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(verifier)))
    if not _found(connection, "SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper"):
        # The administrator of a managed server is no superuser, and gives databases only to roles that it is a member of.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))


def _database(connection: psycopg.Connection, account: Account, say: Say) -> None:
    database, role = sql.Identifier(account.database), sql.Identifier(account.role)
    if not _found(connection, "SELECT 1 FROM pg_database WHERE datname = %s", account.database):
        # From template0, because that alone takes any encoding.
        made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(made.format(database, role))
        say(f"made the database {account.database}")
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))


def _found(connection: psycopg.Connection, query: str, *values: str) -> bool:
    return connection.execute(query.encode(), list(values) or None).fetchone() is not None
