import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from uv import find_uv_bin

from nocturne.adapters.uv_environment import UvEnvironment
from nocturne.domain.errors import Rejected


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app without dependencies, with a real lock file."""
    folder = tmp_path / "work" / "app"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n[tool.uv]\npackage = false\n'
    )
    (folder / "__init__.py").write_text("")
    (folder / "show.py").write_text("import os, json; print(json.dumps(dict(os.environ)))")
    subprocess.run([find_uv_bin(), "lock", "--offline", "--python", sys.executable], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> UvEnvironment:
    return UvEnvironment(tmp_path / "environments")


def run(environment: UvEnvironment, app: Path, *command: str, timeout: float = 60) -> tuple[int | None, str, str]:
    finished = environment.run(app, command, timeout=timeout, log=lambda line: None)
    return finished.exit_code, finished.output, finished.errors


def test_a_command_runs_in_the_apps_environment(environment: UvEnvironment, app: Path, tmp_path: Path) -> None:
    """The command's Python is the one of the environment made from the lock file."""
    code, output, _ = run(environment, app, "python", "-c", "import sys; print(sys.prefix)")
    assert code == 0
    assert output.startswith(str(tmp_path / "environments"))


def test_the_app_is_importable_by_its_folder(environment: UvEnvironment, app: Path) -> None:
    """`python -m app...` works in the app's folder."""
    assert run(environment, app, "python", "-m", "app.show")[0] == 0


def test_no_secret_reaches_the_app(environment: UvEnvironment, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's connections and settings are not among the variables that the app's code sees."""
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", "one-password")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two-password")
    _, output, _ = run(environment, app, "python", "-m", "app.show")
    assert "password" not in output
    assert "AIRFLOW" not in output


def test_exit_code_and_both_streams(environment: UvEnvironment, app: Path) -> None:
    """The exit code and both streams come back apart."""
    program = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert run(environment, app, "python", "-c", program) == (3, "out\n", "err\n")


def test_time_is_up(environment: UvEnvironment, app: Path, tmp_path: Path) -> None:
    """A command that takes too long is ended with its children, and has no exit code."""
    started = tmp_path / "started"
    program = f"import subprocess; p = subprocess.Popen(['sleep', '60']); open({str(started)!r}, 'w').write(str(p.pid)); p.wait()"
    code, _, _ = run(environment, app, "python", "-c", program, timeout=10)
    assert code is None
    # The child got its SIGKILL with its parent, but only the parent is waited for.
    _wait_until(lambda: _is_gone(int(started.read_text())))


def limited(environment: UvEnvironment, app: Path, program: str, timeout: float = 60) -> tuple[int | None, str, str]:
    command = ["python", "-c", program]
    finished = environment.run(app, command, timeout=timeout, log=lambda line: None, memory_bytes=200_000_000)
    return finished.exit_code, finished.output, finished.errors


def test_memory_is_limited(environment: UvEnvironment, app: Path) -> None:
    """A command that is given so much memory gets no more, and one that needs less does not notice."""
    assert limited(environment, app, "print(len(bytearray(100_000_000)))") == (0, "100000000\n", "")
    code, _, errors = limited(environment, app, "bytearray(300_000_000)")
    assert code == 1
    assert errors.endswith("MemoryError\n")


def test_the_commands_children_are_limited(environment: UvEnvironment, app: Path) -> None:
    """Nor do the processes that it starts get more."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(300_000_000)'])"
    assert "MemoryError" in limited(environment, app, child)[2]


def test_a_mapped_file_is_no_memory(environment: UvEnvironment, app: Path) -> None:
    """Weights that are mapped and not read into memory may be larger than the limit."""
    with open(app / "weights", "wb") as file:
        file.truncate(1_000_000_000)
    program = "import mmap; file = open('weights'); print(len(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))"
    assert limited(environment, app, program)[1] == "1000000000\n"


def test_files_time_and_cores_are_limited_with_it(environment: UvEnvironment, app: Path) -> None:
    """Such a command may neither open files without end, nor compute longer than all cores could in its time, nor leave a core."""
    program = "import resource as r; print(*(r.getrlimit(x)[0] for x in (r.RLIMIT_NOFILE, r.RLIMIT_CPU, r.RLIMIT_CORE)))"
    assert limited(environment, app, program, timeout=30)[1] == f"1024 {30 * (os.cpu_count() or 1)} 0\n"


def test_without_a_limit_there_is_none(environment: UvEnvironment, app: Path) -> None:
    """Tests may use what the machine has."""
    program = "import resource as r; print(r.getrlimit(r.RLIMIT_DATA) == (r.RLIM_INFINITY, r.RLIM_INFINITY))"
    assert run(environment, app, "python", "-c", program)[1] == "True\n"


def test_the_environment_is_made_once(environment: UvEnvironment, app: Path) -> None:
    """A second run with the same lock file makes nothing."""
    lines: list[str] = []
    environment.run(app, ["true"], timeout=60, log=lines.append)
    environment.run(app, ["true"], timeout=60, log=lines.append)
    assert lines == ["making the app's environment from uv.lock"]


def test_a_half_made_environment_is_made_anew(environment: UvEnvironment, app: Path, tmp_path: Path) -> None:
    """An environment that a killed process left unfinished is not used."""
    run(environment, app, "true")
    (folder,) = (path for path in (tmp_path / "environments").iterdir() if path.is_dir())
    (folder / "complete").unlink()
    (folder / "bin" / "python").unlink()
    assert run(environment, app, "python", "-c", "print(1)")[0] == 0


def test_no_lock_file(environment: UvEnvironment, app: Path) -> None:
    """An app without a lock file is rejected, with what to do."""
    (app / "uv.lock").unlink()
    with pytest.raises(Rejected, match="uv lock"):
        run(environment, app, "true")


def test_a_lock_file_that_cannot_be_installed(environment: UvEnvironment, app: Path) -> None:
    """A lock file that is not one is the release's fault, and uv's words are in the error."""
    (app / "uv.lock").write_text("nonsense")
    with pytest.raises(Rejected, match="cannot be installed"):
        run(environment, app, "true")


def test_no_such_program(environment: UvEnvironment, app: Path) -> None:
    """A command that does not exist in the environment fails and says its name."""
    code, _, errors = run(environment, app, "pytets")
    assert code not in (0, None)
    assert "pytets" in errors


def test_the_command_dies_with_us(tmp_path: Path, app: Path) -> None:
    """When the worker is killed, the app's tests do not run on beside the retry's."""
    started = tmp_path / "started"
    program = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    script = (
        "import sys; from pathlib import Path; from nocturne.adapters.uv_environment import UvEnvironment; "
        f"UvEnvironment(Path({str(tmp_path / 'environments')!r})).run(Path({str(app)!r}), ['python', '-c', {program!r}], "
        "timeout=60, log=print)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    _wait_until(lambda: started.exists() and started.read_text() != "")
    worker.kill()
    worker.wait()
    _wait_until(lambda: _is_gone(int(started.read_text())))


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _wait_until(condition, seconds: float = 30) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
