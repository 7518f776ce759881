import base64
import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nocturne.adapters.git import GitCodeSource
from nocturne.domain.errors import Broken, NotFound
from tests.integration.git.repository import Repository

SECRET = "hunter2 & co"


def test_a_shallow_clone_can_be_the_source(origin: Repository, tmp_path: Path, cache: Path) -> None:
    """A clone without its history serves as well, and again after new commits."""
    origin.commit({"app/web.py": "print('second')\n"})
    origin.git("clone", "--quiet", "--depth=1", f"file://{origin.root}", str(tmp_path / "shallow"))
    shallow = Repository(tmp_path / "shallow")
    source = GitCodeSource(str(shallow.root), "app", cache)
    assert source.resolve("main").commit == origin.git("rev-parse", "main")
    newer = shallow.commit({"app/web.py": "print('third')\n"})
    assert source.resolve("HEAD").commit == newer
    assert source.read(newer, "web.py") == b"print('third')\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_clone_of_another_user_can_be_the_source(origin: Repository, cache: Path, form: str) -> None:
    """A folder that somebody else owns is no obstacle, as it is where a container mounts it."""
    for folder, _, files in os.walk(origin.root):
        for name in (".", *files):
            os.chown(Path(folder) / name, 65534, 65534, follow_symlinks=False)
    assert GitCodeSource(form.format(origin.root), "app", cache).resolve("main").subject == "The first version"


def test_a_bare_repository_and_a_linked_work_tree_can_be_the_source(origin: Repository, tmp_path: Path, cache: Path) -> None:
    """A bare repository gives its default branch as HEAD, a linked work tree what is checked out in it."""
    origin.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert GitCodeSource(f"file://{tmp_path}/bare.git", "app", cache).resolve("HEAD").subject == "The first version"
    origin.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    commit = Repository(tmp_path / "linked").commit({"app/web.py": "print('linked')\n"})
    assert GitCodeSource(str(tmp_path / "linked"), "app", cache).resolve("HEAD").commit == commit


def test_a_default_branch_that_does_not_exist_leaves_the_others(origin: Repository, tmp_path: Path, cache: Path) -> None:
    """In a bare repository whose HEAD names no branch, branches resolve and HEAD is not found."""
    origin.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    source = GitCodeSource(str(tmp_path / "bare.git"), "app", cache)
    assert source.resolve("HEAD").subject == "The first version"
    (tmp_path / "bare.git/HEAD").write_text("ref: refs/heads/master\n")
    assert source.resolve("main").subject == "The first version"
    with pytest.raises(NotFound, match="'HEAD'; the nearest are: main"):
        source.resolve("HEAD")


def test_the_users_configuration_and_hooks_have_no_say(
    source: GitCodeSource, origin: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a user's git configuration nor git's variables of a surrounding hook change what is read."""
    (tmp_path / ".gitconfig").write_text(f'[url "/nowhere"]\n\tinsteadOf = {origin.root}\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    assert source.resolve("main").subject == "The first version"


class _Guarded(http.server.SimpleHTTPRequestHandler):
    """Files for those who know the password; what was asked for is remembered."""

    def do_GET(self) -> None:
        expected = "Basic " + base64.b64encode(f"ada:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="code"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def guarded(origin: Repository, tmp_path: Path) -> Iterator[str]:
    """`host:port/path` of the repository over HTTP with a password."""
    origin.git("clone", "--quiet", "--bare", ".", str(tmp_path / "web/code.git"))
    bare = tmp_path / "web/code.git"
    origin.git("--git-dir", str(bare), "update-server-info")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Guarded, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}/code.git"
    server.shutdown()
    server.server_close()


def test_credentials_in_a_url_open_the_repository_and_stay_out_of_the_cache(guarded: str, cache: Path) -> None:
    """A user and a password in the URL are used, and written nowhere."""
    source = GitCodeSource(f"http://ada:hunter2%20%26%20co@{guarded}", "app", cache)
    assert source.resolve("main").subject == "The first version"
    written = b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    assert b"hunter2" not in written
    assert b"hunter2" not in repr(vars(source)).encode()


@pytest.mark.parametrize("user_info", ["ada:wrong-secret@", "wrong-secret@", ""])
def test_wrong_credentials_are_broken_without_showing_them(guarded: str, cache: Path, user_info: str) -> None:
    """A refused login says where and why, not with what."""
    with pytest.raises(Broken, match=r"Authentication failed|could not read|terminal prompts disabled") as caught:
        GitCodeSource(f"http://{user_info}{guarded}", "app", cache).resolve("main")
    assert guarded in str(caught.value)
    assert "wrong-secret" not in str(caught.value)


def test_a_remote_that_is_away_is_broken(cache: Path) -> None:
    """Where nothing listens, the message has git's own words."""
    with pytest.raises(Broken, match=r"Connection refused|Failed to connect"):
        GitCodeSource("http://127.0.0.1:9/code.git", "app", cache).resolve("main")


def test_without_git_the_advice_is_to_install_it(source: GitCodeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git is broken, with advice."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Broken, match="install git"):
        source.resolve("main")
