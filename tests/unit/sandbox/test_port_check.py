import os
import socket
from collections.abc import Iterator

import pytest

from nocturne.domain.errors import ConfigurationError
from nocturne.sandbox.port_check import is_free, owner_of, require_free
from nocturne.sandbox.settings import Port


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_taken(listening: int) -> None:
    """A listener on the loopback address alone makes its port taken, and free again when it closes."""
    assert not is_free(listening)
    assert owner_of(listening) == os.getpid()


def test_a_closed_port_is_free_at_once() -> None:
    """A port is free as soon as its listener is gone, connections of before notwithstanding."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()
    assert is_free(port)
    assert owner_of(port) is None


def test_all_taken_ports_are_named_with_owner_and_variable(listening: int) -> None:
    """The error names each taken port, who has it and which variable moves it."""
    ports = [Port(listening, "NOCTURNE_APP_PORT", "front door"), Port(listening, "NOCTURNE_BLOB_PORT", "blob")]
    with pytest.raises(ConfigurationError) as caught:
        require_free(ports)
    assert len(caught.value.faults) == 2
    assert f"(pid {os.getpid()})" in caught.value.faults[0]
    assert "NOCTURNE_APP_PORT" in caught.value.faults[0]
    assert "NOCTURNE_BLOB_PORT" in caught.value.faults[1]
