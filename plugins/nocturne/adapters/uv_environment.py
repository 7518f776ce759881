"""The app's own environment, made by uv from the app's lock file."""

import fcntl
import hashlib
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from uv import find_uv_bin

from nocturne.domain.errors import Broken, Rejected
from nocturne.ports.app_environment import AppEnvironment, Finished, Log

_FOR_UV = ("PATH", "HOME", "LANG", "SSL_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "XDG_CACHE_HOME")
_OPEN_FILES = 1024
_NETWORK = ("Failed to fetch", "error sending request", "dns error", "Connection refused", "timed out", "Network is unreachable")


class UvEnvironment(AppEnvironment):
    """Keeps one virtual environment for each lock file below `folder`, and runs the app's commands in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, app: Path, command: Sequence[str], *, timeout: float, log: Log, memory_bytes: int | None = None) -> Finished:
        """See the port. What the command sees of this process's variables is PATH and the language."""
        environment = self._ready(app, log)
        home = app.parent / "home"
        home.mkdir(exist_ok=True)
        variables = {
            "PATH": f"{environment / 'bin'}:{os.environ.get('PATH', os.defpath)}",
            "VIRTUAL_ENV": str(environment),
            "PYTHONPATH": str(app.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(home),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        }
        limited = command if memory_bytes is None else _limited(command, memory_bytes, timeout)
        return _run(_dying_with_us(limited), app, variables, timeout, log)

    def _ready(self, app: Path, log: Log) -> Path:
        lock = app / "uv.lock"
        if not lock.is_file():
            raise Rejected(f"the app has no lock file: found no {lock.name} in {app.name}/", advice="run `uv lock` and commit it")
        key = hashlib.sha256(lock.read_bytes() + (app / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()[:24]
        environment = self._folder / key
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / f"{key}.lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # given back by the kernel, even if we are killed
            if not (environment / "complete").exists():
                log(f"making the app's environment from {lock.name}")
                _synchronise(app, environment)
                (environment / "complete").touch()
        return environment


def _synchronise(app: Path, environment: Path) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    variables = {name: value for name, value in os.environ.items() if name.startswith(_FOR_UV)}
    variables |= {"UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON_DOWNLOADS": "never"}
    command = [find_uv_bin(), "sync", "--frozen", "--no-install-project", "--no-progress", "--python", sys.executable]
    done = subprocess.run(command, cwd=app, env=variables, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    shutil.rmtree(environment, ignore_errors=True)
    tail = "\n".join(done.stderr.splitlines()[-15:])
    if any(sign in done.stderr for sign in _NETWORK):
        raise Broken(f"the app's dependencies cannot be fetched:\n{tail}", advice="see whether the package index is reachable")
    raise Rejected(f"the app's lock file cannot be installed:\n{tail}", advice="run `uv lock && uv sync` in the app's folder")


def _dying_with_us(command: Sequence[str]) -> list[str]:
    # A killed worker must not leave the app's tests running beside the retry's.
    setpriv = shutil.which("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []), *command]


def _limited(command: Sequence[str], memory_bytes: int, timeout: float) -> list[str]:
    # What is allocated, not address space: runtimes reserve two or three times of that, and map their libraries and weights.
    limits = {
        "d": _at_most(resource.RLIMIT_DATA, memory_bytes) // 1024,
        "n": _at_most(resource.RLIMIT_NOFILE, _OPEN_FILES),
        "t": _at_most(resource.RLIMIT_CPU, math.ceil(timeout) * (os.cpu_count() or 1)),
        "c": 0,
    }
    # By the shell, so that the limits hold from the first instruction on; code between fork and exec is not safe beside threads.
    script = " && ".join(f"ulimit -{option} {value}" for option, value in limits.items())
    return ["/bin/sh", "-c", f'{script} && exec "$@"', "sh", *command]


def _at_most(limit: int, wanted: int) -> int:
    hard = resource.getrlimit(limit)[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _run(command: list[str], app: Path, variables: dict[str, str], timeout: float, log: Log) -> Finished:
    # setpriv finds the program on the PATH that it is given; Popen alone would search ours.
    if len(command) and "/" not in command[0]:
        command = [shutil.which(command[0], path=variables["PATH"]) or command[0], *command[1:]]
    try:
        process = subprocess.Popen(
            command, cwd=app, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    except OSError as error:
        raise Rejected(
            f"the command {command[0]!r} cannot be run: {error}", advice="correct the command in release.toml"
        ) from error
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        output, errors = _follow(process.stdout, log), _follow(process.stderr, log)
        try:
            exit_code: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            exit_code = None
        _end_group(process)
        return Finished(exit_code, output(), errors())


def _follow(stream: IO[str], log: Log) -> Callable[[], str]:
    lines: list[str] = []

    def read() -> None:
        for line in stream:
            lines.append(line)
            log(line.rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()

    def result() -> str:
        thread.join(5)
        return "".join(lines)

    return result


def _end_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended by itself
    process.wait()
