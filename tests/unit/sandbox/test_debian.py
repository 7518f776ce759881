from pathlib import Path

import pytest

from nocturne.domain.errors import Broken
from nocturne.sandbox import debian
from nocturne.sandbox.programs import Programs

LACKING = debian.Program("no-such-program", "no-such-package", "showing that it is missing")


def test_os_release_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    """Both `ID=debian` and `ID_LIKE="ubuntu debian"` are understood, and a system without the file is just unknown."""
    release = tmp_path / "os-release"
    release.write_text('# comment\nID=mint\nID_LIKE="ubuntu debian"\n\n')
    assert debian.describe_system(release)["ID_LIKE"] == "ubuntu debian"
    assert debian.describe_system(release)["ID"] == "mint"
    assert debian.describe_system(tmp_path / "none") == {}


def test_only_what_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is installed is not asked for."""
    monkeypatch.setattr(debian, "can_install", lambda: False)
    assert debian.missing([LACKING, debian.Program("sh", "dash", "everything")]) == [LACKING]


def test_what_can_be_done_without_is_missing_only_where_it_can_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root or apt, a program that has another way is no reason to stop."""
    optional = debian.Program("no-such-program", "no-such-package", "", optional=True)
    monkeypatch.setattr(debian, "can_install", lambda: True)
    assert debian.missing([optional]) == [optional]
    monkeypatch.setattr(debian, "can_install", lambda: False)
    assert debian.missing([optional]) == []


def test_elsewhere_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be installed, the error names the program, what it is for, and the command that would help."""
    monkeypatch.setattr(debian, "can_install", lambda: False)
    with pytest.raises(Broken) as caught:
        debian.install([LACKING], Programs(tmp_path))
    assert "no-such-program (showing that it is missing)" in caught.value.message
    assert "apt-get install --no-install-recommends no-such-package" in caught.value.advice
