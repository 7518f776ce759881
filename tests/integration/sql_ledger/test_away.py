"""PostgreSQL out of reach in the middle of a night: what is asked meanwhile is broken, soon, and never half done."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import text

from nocturne.adapters.sql_ledger import SqlLedger, patience
from nocturne.adapters.sql_ledger.database import Database
from nocturne.adapters.system_clock import SystemClock
from nocturne.domain.errors import Broken
from nocturne.domain.states import DeploymentState
from tests.integration.sql_ledger.night import remember
from tests.integration.sql_ledger.postgresql import Server
from tests.integration.sql_ledger.proxy import Proxy, proxy

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(postgresql: str) -> Iterator[SqlLedger]:
    opened = SqlLedger.open(postgresql, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def way(shared_server: Server) -> Iterator[Proxy]:
    """A way to the shared server that can be blocked."""
    with proxy(shared_server.socket) as made:
        yield made


def test_a_server_that_dies_and_comes_back(own_server: Server) -> None:
    """With connections open, every reading and writing while it is away is broken; then the same ledger goes on where it was."""
    ledger = SqlLedger.open(own_server.url, SystemClock())
    deployment = remember(ledger, 1)
    own_server.stop()
    asked: list[Callable[[], object]] = [
        ledger.releases,
        lambda: ledger.move_deployment(deployment.id, DeploymentState.VERIFYING),
        lambda: ledger.lease("production", "run", MINUTE),
        lambda: remember(ledger, 2),
        ledger.migrate,
        lambda: SqlLedger.open(own_server.url, SystemClock()),
    ]
    for ask in asked * 2:
        with pytest.raises(Broken, match="the ledger at postgresql") as caught:
            ask()
        assert type(caught.value) is Broken
    own_server.start()
    assert ledger.deployments() == [deployment]
    assert ledger.move_deployment(deployment.id, DeploymentState.VERIFYING).state is DeploymentState.VERIFYING
    assert remember(ledger, 2).run_id == "run-2"


def test_a_server_that_restarts_between_two_questions_is_not_noticed(own_server: Server) -> None:
    """Connections that died with it are made anew."""
    ledger = SqlLedger.open(own_server.url, SystemClock())
    remember(ledger, 1)
    own_server.stop()
    own_server.start()
    assert remember(ledger, 2).id > 1  # after a crash PostgreSQL's sequences leave some numbers out, and never go back


def test_a_server_that_dies_in_the_middle_of_a_change_undoes_it(own_server: Server) -> None:
    """What a transaction had written is not there after the restart, and no lock is left."""
    ledger = SqlLedger.open(own_server.url, SystemClock())
    for asks_again in (True, False):  # else the first to notice is the commit
        with pytest.raises(Broken):
            _change(own_server.url, own_server.stop, asks_again)
        own_server.start()
        assert ledger.leased("production") is None
    assert ledger.lease("production", "next", MINUTE).run_id == "next"


def _change(url: str, then: Callable[[], None], asks_again: bool) -> None:
    with Database(url).writing() as connection:
        connection.execute(text("INSERT INTO leases VALUES ('production', 'lost', '', '2999')"))
        then()
        if asks_again:
            connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("ask", [lambda ledger: ledger.releases(), lambda ledger: ledger.quarantine("r-1", "reason", "run")])
def test_a_way_that_no_longer_forwards_is_broken(
    ask: Callable[[SqlLedger], object], postgresql: str, ledger: SqlLedger, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing closes and every packet is confirmed: after the time for an answer, and for a new connection, it is broken all the
    same; as soon as the way is open the same ledger goes on."""
    there = SqlLedger.open(way.url(postgresql), SystemClock())
    ask(there)
    with monkeypatch.context() as impatient:
        impatient.setattr(patience, "ANSWER_SECONDS", 2)
        way.open.clear()
        with pytest.raises(Broken, match=r"timeout expired|no answer"):
            ask(there)
        way.open.set()
    ask(there)


def test_a_way_that_is_lost_in_the_middle_of_a_change(
    postgresql: str, ledger: SqlLedger, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who changed is told that there is no answer; the server undoes the change and lets the next one in."""

    def lose() -> None:
        impatient.setattr(patience, "ANSWER_SECONDS", 1)
        way.open.clear()

    with monkeypatch.context() as impatient:
        # Told to the server when the change begins: it holds for the good part, too.
        impatient.setattr(patience, "IDLE_SECONDS", 10)
        with pytest.raises(Broken, match="no answer within 1 s"):
            _change(way.url(postgresql), lose, asks_again=True)
    assert ledger.lease("production", "next", MINUTE).run_id == "next"


def test_a_writer_that_hangs_is_ended_for_the_others(ledger: SqlLedger, postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is stopped while it holds the writers' lock loses it and its changes, and learns so when it goes on."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        ended = 1
        # Of this process alone: the next writer may take its time.
        monkeypatch.setattr(patience, "IDLE_SECONDS", 5)
        try:
            with Database(postgresql).writing() as connection:
                connection.execute(text("INSERT INTO leases VALUES ('production', 'hangs', '', '2999')"))
                os.write(writing, b"written")
                os.kill(os.getpid(), signal.SIGSTOP)
        except Broken as error:
            ended = 0 if "stood still" in str(error) else 2
        finally:
            os._exit(ended)
    assert os.read(reading, 7) == b"written"
    os.waitpid(child, os.WUNTRACED)
    try:
        assert ledger.lease("production", "next", MINUTE).run_id == "next"
    finally:
        os.kill(child, signal.SIGCONT)
        ended = os.waitpid(child, 0)[1]
    assert os.waitstatus_to_exitcode(ended) == 0
    assert ledger.leased("production").run_id == "next"


def test_a_statement_that_takes_too_long_is_broken(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server gives a writer's statement up before the writer gives the server up, and says so."""
    monkeypatch.setattr(patience, "STATEMENT_SECONDS", 1)
    with pytest.raises(Broken, match="statement timeout"), Database(postgresql).writing() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))


def test_a_machine_that_is_gone_is_noticed(postgresql: str, way: Proxy) -> None:
    """The connection has limits for packets that nobody confirms, in the kernel's own words."""
    with _socket(way.url(postgresql)) as found:
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == patience.ANSWER_SECONDS * 1000
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    with _socket(way.url(postgresql) + "?keepalives_idle=7") as found:
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7, "what the URL says counts"


@contextmanager
def _socket(url: str) -> Iterator[socket.socket]:
    with Database(url).reading() as connection:
        raw = connection.connection.dbapi_connection
        with socket.socket(fileno=os.dup(raw.fileno())) as found:
            yield found


def test_a_role_that_may_only_read(ledger: SqlLedger, shared_server: Server, postgresql: str) -> None:
    """It reads; what it would write is broken, and the sentence says which right is missing."""
    remember(ledger, 1)
    grants = (
        "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
    )
    shared_server.run("psql", "--quiet", "--command", grants, "postgres")
    try:
        reader = SqlLedger.open(shared_server.of("postgres", "reader"), SystemClock())
        assert reader.releases() == ledger.releases()
        with pytest.raises(Broken, match=r"(?s)permission denied for table quarantine.*must own the ledger's tables"):
            reader.quarantine("r-2", "reason", "run")
        reader.close()
    finally:
        shared_server.run("psql", "--quiet", "--command", "DROP OWNED BY reader; DROP ROLE reader", "postgres")


def test_a_server_that_only_reads(ledger: SqlLedger, postgresql: str) -> None:
    """As a standby does: told to use the primary."""
    standby = SqlLedger(postgresql + "&options=-c%20default_transaction_read_only%3Don", SystemClock())
    assert standby.releases() == []
    with pytest.raises(Broken, match=r"(?s)read-only transaction.*URL of the primary"):
        standby.quarantine("r-2", "reason", "run")


def test_a_night_waits_out_a_minute_without_its_server(own_server: Server) -> None:
    """Steps that are tried again until the server is back end in the same rows as if it had never been away."""
    ledger = SqlLedger.open(own_server.url, SystemClock())
    own_server.stop()
    restart = Thread(target=own_server.start)
    tries = 0
    while True:
        try:
            deployment = remember(ledger, 1)
            break
        except Broken:
            tries += 1
            if tries == 3:
                restart.start()
    restart.join()
    assert [state for _, state, _ in ledger.events(deployment.id)] == ["planned", "rolling out"]
    assert (len(ledger.releases()), len(ledger.quarantined())) == (1, 1)
