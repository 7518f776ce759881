"""The container engine: the one that runs already, or one that the sandbox starts where nothing else does."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from nocturne.domain.errors import Broken
from nocturne.sandbox import processes
from nocturne.sandbox.engine_users import EngineUsers
from nocturne.sandbox.supervised import SupervisedProcess

SHARED = Path("/run/nocturne-engine")
_SYSTEMD = Path("/run/systemd/system")
_START_SECONDS = 60.0
# dockerd gives its containers 15 s to end before it kills them.
_STOP_SECONDS = 40.0


class Engine:
    """A Docker Engine at a URL, as used by the sandbox at `home`.

    shared: state of an engine that sandboxes started, common to all of them. run: dockerd's own folder of pid files.
    """

    def __init__(
        self,
        url: str,
        home: Path,
        shared: Path = SHARED,
        run: Path = Path("/var/run"),
        command: Sequence[str] = ("dockerd",),
    ) -> None:
        self.url = url
        self._home = home
        self._shared = shared
        self._users = EngineUsers(shared)
        self._process = SupervisedProcess("dockerd", shared)
        self._run = run
        self._command = command

    def client(self, timeout: int = 60) -> docker.DockerClient:
        """A new client. Raises Broken when the engine is out of reach."""
        try:
            client = docker.DockerClient(base_url=self.url, timeout=timeout)
            client.ping()
        except (DockerException, RequestException) as error:
            raise Broken(f"no Docker Engine answers on {self.url}: {error}", advice=_advice(self.url)) from error
        return client

    @contextlib.contextmanager
    def session(self, timeout: int = 60) -> Iterator[docker.DockerClient]:
        """A client for a `with` block, in which everything that the engine refuses is Broken."""
        client = self.client(timeout)
        try:
            yield client
        except (DockerException, RequestException) as error:
            raise Broken(f"the engine on {self.url} refused: {error}", advice="look at the engine's log") from error
        finally:
            client.close()

    def reachable(self) -> bool:
        """Whether it answers."""
        try:
            self.client(timeout=5).close()
        except Broken:
            return False
        return True

    def ensure(self) -> str:
        """Start it unless it runs, and say which. Raises Broken."""
        if self.reachable():
            self._join()
            return f"{self._version()} was running"
        if not self._may_start():
            self.client()
        with self._users.alone():
            self._users.add(self._home)
            if not self.reachable():
                self._start()
        return f"{self._version()} started"

    def release(self) -> bool:
        """This sandbox needs it no longer. True when it was stopped: sandboxes had started it and none uses it now."""
        if not self._process.remains():
            return False
        with self._users.alone():
            self._users.remove(self._home)
            return not self._users.others(self._home) and self._process.stop(_STOP_SECONDS, leader_only=True)

    @property
    def ours(self) -> bool:
        """Whether a sandbox started it."""
        return self._process.pid() is not None

    def _join(self) -> None:
        if self.ours:
            with self._users.alone():
                self._users.add(self._home)

    def _may_start(self) -> bool:
        return os.geteuid() == 0 and self.url.startswith("unix://") and not _SYSTEMD.is_dir()

    def _start(self) -> None:
        if _process_of(self._run / "docker.pid", "dockerd"):
            self._wait_for_other()
            return
        # dockerd refuses to start when its pid file names any living process, even one that took over the number.
        (self._run / "docker.pid").unlink(missing_ok=True)
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
        self._process.start([*self._command, "--host", self.url], {**os.environ, "PATH": path})
        self._process.wait_until(self.reachable, _START_SECONDS)

    def _wait_for_other(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.reachable():
            if time.monotonic() > deadline:
                self.client()
            time.sleep(0.2)

    def _version(self) -> str:
        with self.session() as client:
            return f"Docker Engine {client.version()['Version']}"


def _process_of(pid_file: Path, name: str) -> int | None:
    text = pid_file.read_text().strip() if pid_file.exists() else ""
    return int(text) if text.isdecimal() and processes.name_of(int(text)) == name else None


def _advice(url: str) -> str:
    if not url.startswith("unix://"):
        return "DOCKER_HOST says where it is; see that one runs there, or unset it"
    socket = Path(url.removeprefix("unix://"))
    if socket.exists() and not os.access(socket, os.W_OK):
        return f"this user may not use {socket}; add it to the socket's group, often `usermod -aG docker $USER`, and log in again"
    return "start it, often `systemctl start docker` as root"
