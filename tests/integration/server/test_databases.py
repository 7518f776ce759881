from dataclasses import replace

import psycopg
import pytest

from nocturne.domain.errors import Broken
from nocturne.server.databases import Account, bring_up_to_date
from nocturne.server.superuser import Superuser
from tests.integration.server.postgres import SUPERUSER_PASSWORD, Postgres, new_postgres
from tests.integration.sql_ledger.postgresql import programs
from tests.integration.sql_ledger.processes import at_once

AIRFLOW = Account("airflow", "airflow", "one's own")
LEDGER = Account("nocturne", "nocturne", "another's")


def silent(_line: str) -> None:
    """Nobody listens."""


def prepared(superuser: Superuser, *accounts: Account) -> list[str]:
    """What is told while both accounts, or these, are brought up to date."""
    lines: list[str] = []
    with superuser.alone(20, lines.append) as connection:
        bring_up_to_date(connection, list(accounts or (AIRFLOW, LEDGER)), lines.append)
    return lines


def write(postgres: Postgres, account: Account) -> None:
    """What each program does in its own database."""
    with psycopg.connect(postgres.conninfo(account.role, account.password, account.database)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS secret (text text)")
        connection.execute("INSERT INTO secret VALUES ('x')")


def test_each_role_works_in_its_own_database(postgres: Postgres, superuser: Superuser) -> None:
    """On an empty server both are made, and each role may make tables in its own."""
    assert prepared(superuser) == [
        "made the role airflow",
        "made the role nocturne",
        "made the database airflow",
        "made the database nocturne",
    ]
    write(postgres, AIRFLOW)
    write(postgres, LEDGER)


def test_neither_may_look_into_the_others(postgres: Postgres, superuser: Superuser) -> None:
    """With its own right password, a role is not let into the other's database, and is no superuser."""
    prepared(superuser)
    for account, other in ((AIRFLOW, LEDGER), (LEDGER, AIRFLOW)):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(postgres.conninfo(account.role, account.password, other.database))
        with psycopg.connect(postgres.conninfo(account.role, account.password, account.database)) as connection:
            rights = connection.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        assert rights == (False, False, False)


def test_a_second_start_keeps_the_data(postgres: Postgres, superuser: Superuser) -> None:
    """Nothing is made again, and what was written is still there."""
    prepared(superuser)
    write(postgres, LEDGER)
    assert prepared(superuser) == []
    with psycopg.connect(postgres.conninfo(LEDGER.role, LEDGER.password, LEDGER.database)) as connection:
        assert connection.execute("SELECT text FROM secret").fetchall() == [("x",)]


def test_a_password_is_rotated_by_the_next_start(postgres: Postgres, superuser: Superuser) -> None:
    """The new one opens the database and the old one does not; a connection that is open stays open."""
    prepared(superuser)
    new = replace(LEDGER, password="a 'new' one")
    with psycopg.connect(postgres.conninfo(LEDGER.role, LEDGER.password, LEDGER.database)) as before:
        prepared(superuser, AIRFLOW, new)
        before.execute("SELECT 1")
    write(postgres, new)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.conninfo(LEDGER.role, LEDGER.password, LEDGER.database))


def test_no_password_is_in_the_servers_log(postgres: Postgres, superuser: Superuser) -> None:
    """A server that logs every statement logs the one that sets a password too: it holds a verifier."""
    account = Account("airflow", "airflow", "never-in-a-log")
    prepared(superuser, account)
    log = postgres.log.read_text()
    assert 'ALTER ROLE "airflow"' in log
    assert "never-in-a-log" not in log


def test_several_at_once(postgres: Postgres, superuser: Superuser) -> None:
    """Of four that start at the same moment, one makes everything and the others find it made."""
    results = at_once(4, lambda _: prepared(superuser))
    assert sorted(map(len, results)) == [0, 0, 0, 4]


def test_a_superuser_with_another_password(postgres: Postgres, superuser: Superuser) -> None:
    """It is told at once, with what to do, and without the password that was tried."""
    with pytest.raises(Broken, match="password authentication failed") as caught:
        prepared(replace(superuser, password="wrong-one"))
    assert "wrong-one" not in str(caught.value)
    assert "password file" in caught.value.advice


def test_an_administrator_who_is_no_superuser(postgres: Postgres, superuser: Superuser) -> None:
    """On a managed server, the right to make roles and databases is enough, for the second start too."""
    with psycopg.connect(postgres.conninfo("postgres", SUPERUSER_PASSWORD), autocommit=True) as connection:
        connection.execute("CREATE ROLE managed LOGIN CREATEROLE CREATEDB PASSWORD 'm'")
    managed = replace(superuser, user="managed", password="m")
    assert len(prepared(managed)) == 4
    assert prepared(managed) == []
    write(postgres, AIRFLOW)
    write(postgres, LEDGER)


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_a_server_that_comes_late() -> None:
    """It is waited for, saying so once; then everything is made."""
    with new_postgres() as late:
        superuser = Superuser("127.0.0.1", late.port, password=SUPERUSER_PASSWORD)
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            late.start()

        with superuser.alone(60, say) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        late.stop()
    assert lines == [f"waiting for PostgreSQL at 127.0.0.1:{late.port}: nobody answers"]


def test_a_server_that_does_not_come() -> None:
    """The waiting has an end, which says for what."""
    superuser = Superuser("127.0.0.1", 1, password="x")
    with pytest.raises(Broken, match=r"PostgreSQL at 127.0.0.1:1 is not up after 0 s: nobody answers"), superuser.alone(0, silent):
        pass
