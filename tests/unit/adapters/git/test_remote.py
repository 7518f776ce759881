import os
from pathlib import Path

import pytest

from nocturne.adapters.git.remote import remote


@pytest.mark.parametrize(
    ("repository", "url", "local"),
    [
        ("https://example.com/code.git", "https://example.com/code.git", False),
        ("ssh://git@example.com/code.git", "ssh://git@example.com/code.git", False),
        ("git@example.com:team/code.git", "git@example.com:team/code.git", False),
        ("file:///srv/code", "file:///srv/code", True),
        ("/srv/code", "/srv/code", True),
    ],
)
def test_urls_and_paths_are_told_apart(repository: str, url: str, local: bool) -> None:
    """A URL or `host:path` is somewhere else, a path is a folder of this machine."""
    found = remote(repository)
    assert (found.url, found.local) == (url, local)


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git is started elsewhere, so a path is completed at once; a folder with a colon in its name is still a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with:colon").mkdir()
    assert remote("code").url == os.path.join(tmp_path, "code")
    assert remote("with:colon").url == os.path.join(tmp_path, "with:colon")


@pytest.mark.parametrize(
    ("user_info", "user", "password"),
    [
        ("ada:s3cret", "ada", "s3cret"),
        ("s3cret", "s3cret", ""),
        ("ada:s3%40cret%3A", "ada", "s3@cret:"),
        ("ada:s3:c@ret", "ada", "s3:c@ret"),
    ],
)
def test_credentials_leave_the_url_for_the_environment(user_info: str, user: str, password: str) -> None:
    """Over HTTP user and password are taken out of the URL, decoded, and bound to that host alone."""
    found = remote(f"https://{user_info}@example.com:8443/code.git")
    assert found.url == "https://example.com:8443/code.git"
    assert found.environment == {"NOCTURNE_GIT_USERNAME": user, "NOCTURNE_GIT_PASSWORD": password}
    assert [setting.partition("=")[0] for setting in found.settings] == ["credential.https://example.com:8443.helper"]


def test_messages_show_no_secret() -> None:
    """The password, a token in the user's place and any user in a URL are masked; a plain user's name is not searched for."""
    assert remote("https://ada:s3cret@example.com/c").masked("ada sent s3cret") == "ada sent ***"
    assert remote("https://t0ken@example.com/c").masked("bad t0ken") == "bad ***"
    assert remote("/srv/code").masked("see https://ada:pw@example.com/x") == "see https://***@example.com/x"
    assert str(remote("ssh://ada:pw@example.com/c")) == "ssh://***@example.com/c"


@pytest.mark.parametrize("repository", ["https://ada:s3cret@example.com/c", "https://s3cret@example.com/c"])
def test_a_remote_does_not_show_its_secret_when_printed(repository: str) -> None:
    """Neither str nor repr of it has the password."""
    found = remote(repository)
    assert "s3cret" not in f"{found} {found!r}"
