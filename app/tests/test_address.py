"""Where the app is about to listen."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT, RunningApp

from app.address import address_faults


def test_a_port_that_is_free_is_good() -> None:
    """Nothing is wrong with a port of the system's choice."""
    assert address_faults("127.0.0.1", 0) == []


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_where_something_listens_is_taken(shared: bool) -> None:
    """Also one that its listener would share."""
    with socket.socket() as other:
        if shared:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        (fault,) = address_faults("127.0.0.1", port := other.getsockname()[1])
    assert f"PORT is {port}: Address already in use" in fault


def test_a_host_that_is_not_there_is_told() -> None:
    """An address of another machine, and a name that nobody has."""
    assert "Cannot assign requested address" in address_faults("192.0.2.1", 8080)[0]
    assert "HOST is 'no such name'" in address_faults("no such name", 8080)[0]


@pytest.mark.parametrize("host", ["a" * 64, f"digits.{'a' * 64}.example", "a..example", "\udcff", "a" * 5000])
def test_a_host_that_is_no_name_is_told(host: str) -> None:
    """A name whose parts are too long, or empty, or which holds what no name may."""
    (fault,) = address_faults(host, 8080)
    assert fault.startswith(f"HOST is {host!r}; expected ")


def test_an_app_whose_host_is_no_name_says_so() -> None:
    """As of every wrong setting: a sentence and exit code 2."""
    command, environment = [sys.executable, "-m", "app"], {"HOST": "a" * 64}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert f"HOST is '{'a' * 64}'; expected" in ended.stderr


def test_a_second_app_says_why_it_cannot_start(model_dir: Path) -> None:
    """It ends at once, with one sentence."""
    with RunningApp({"MODEL_DIR": str(model_dir), "WORKERS": "1"}) as app:
        environment = {"HOST": "127.0.0.1", "PORT": str(app.port), "MODEL_DIR": str(model_dir)}
        command = [sys.executable, "-m", "app"]
        second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert app.get("/readyz") == 200
    assert second.returncode == 2
    assert second.stderr.splitlines() == [
        f"HOST is '127.0.0.1' and PORT is {app.port}: Address already in use. Set another, or end what listens there."
    ]
