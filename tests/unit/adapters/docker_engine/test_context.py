import io
import os
import tarfile
from pathlib import Path

import pytest

from nocturne.adapters.docker_engine.context import write_context
from nocturne.domain.errors import Rejected


def archive(folder: Path) -> bytes:
    output = io.BytesIO()
    write_context(folder, output)
    return output.getvalue()


def names(folder: Path) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive(folder))) as tar:
        return tar.getnames()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/web.py").write_text("pass\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def test_the_context_is_the_same_whoever_checked_out_and_when(app: Path):
    """Times and the umask's share of modes do not show, so that the same code makes the same layers."""
    first = archive(app)
    os.utime(app / "app/web.py", (1, 1))
    (app / "app/web.py").chmod(0o600)
    (app / "app").chmod(0o700)
    assert archive(app) == first


def test_what_may_be_executed_stays_so(app: Path):
    """The bit that git keeps is kept."""
    first = archive(app)
    (app / "app/web.py").chmod(0o744)
    assert archive(app) != first


def test_dockerignore_is_obeyed(app: Path):
    """Patterns, exceptions and comments work as with `docker build`, and the Dockerfile is always there."""
    (app / "app/secret.env").write_text("x")
    (app / "app/keep.env").write_text("x")
    (app / ".dockerignore").write_text("# nothing secret\n**/*.env\n!app/keep.env\nDockerfile\n")
    assert {"Dockerfile", "app/keep.env", "app/web.py"} <= set(names(app))
    assert "app/secret.env" not in names(app)


def test_two_names_of_one_file_are_two_files(app: Path):
    """A hard link in the cache of wheels does not become a link in the image."""
    (app / "app/again.py").hardlink_to(app / "app/web.py")
    with tarfile.open(fileobj=io.BytesIO(archive(app))) as tar:
        assert [tar.getmember(name).isreg() for name in ("app/again.py", "app/web.py")] == [True, True]


def test_a_symbolic_link_stays_one(app: Path):
    """Links are copied as links, even where they lead nowhere."""
    (app / "link").symlink_to("nowhere")
    with tarfile.open(fileobj=io.BytesIO(archive(app))) as tar:
        assert tar.getmember("link").linkname == "nowhere"


def test_an_app_without_a_dockerfile_is_rejected(tmp_path: Path):
    """The message says what is missing and where it belongs."""
    with pytest.raises(Rejected, match="has no Dockerfile"):
        archive(tmp_path)
