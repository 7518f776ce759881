"""Running git on one repository, the same way whatever the user's and the machine's configuration say."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nocturne.domain.errors import Broken

_SETTINGS = (
    "safe.directory=*",
    "core.hooksPath=/dev/null",
    "credential.helper=",
    # Tidying up must end before the lock is given back, not go on behind it.
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
    # A remote that sends less than 1 byte/s for a minute is gone.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
)
_FIXED = {
    "GIT_ASKPASS": "",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SSH = {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15"}
_PASSED_ON = ("GIT_SSH", "GIT_SSL_", "GIT_PROXY_")  # how to reach a remote; everything else would change what git works on


class GitFailed(Exception):
    """Git ended with an error. It never leaves this package: whoever ran git knows what it means."""

    def __init__(self, command: str, errors: bytes) -> None:
        self.command = command
        self.errors = errors.decode(errors="replace").strip()
        super().__init__(f"git {command}: {self.errors}")


@dataclass(frozen=True)
class Git:
    """Git on one bare repository. settings: `-c` options; environment: added to the process's; keep_open: file descriptors."""

    folder: Path
    settings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    keep_open: tuple[int, ...] = ()

    def run(self, *arguments: str) -> bytes:
        """What git wrote. Raises GitFailed, and Broken where there is no git."""
        with self.running(*arguments) as process:
            output, errors = process.communicate()
        if process.returncode:
            raise GitFailed(arguments[0], errors)
        return output

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A git that is talked to; stopped at the end."""
        options = [part for setting in (*_SETTINGS, *self.settings) for part in ("-c", setting)]
        # Naming the repository keeps git from looking for another one in the folders above when this one is damaged.
        command = ["git", *options, f"--git-dir={self.folder}", *arguments]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, env=_environment(self.environment), pass_fds=self.keep_open
            )
        except FileNotFoundError as error:
            raise Broken("there is no `git` command on this machine", advice="install git") from error
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                _close(stream)


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(_PASSED_ON)}
    return _SSH | kept | _FIXED | dict(added)


def _close(stream: IO[bytes] | None) -> None:
    try:
        if stream:
            stream.close()
    except BrokenPipeError:
        pass  # what was not read any more is of no interest: git was stopped
