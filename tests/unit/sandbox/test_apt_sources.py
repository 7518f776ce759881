from pathlib import Path

from nocturne.sandbox.apt_sources import Source, configured, debian_archives, parse_deb822, parse_one_line

DEB822 = """\
# The main archive.
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib # the archive
deb-src http://source.example/debian trixie main
deb\thttp://tools.example/apt stable main
"""


def test_deb822_paragraphs_give_a_source_for_each_suite() -> None:
    """Folded values are read, and disabled or source-only paragraphs are left out."""
    assert list(parse_deb822(DEB822)) == [
        Source("http://mirror.example/debian", "bookworm"),
        Source("http://mirror.example/debian", "bookworm-updates"),
        Source("http://mirror.example/debian-security/", "bookworm-security"),
    ]


def test_one_line_sources_are_read_with_options_and_comments() -> None:
    """Comments, options and deb-src lines are told apart."""
    assert list(parse_one_line(ONE_LINE)) == [
        Source("http://mirror.example/debian", "trixie"),
        Source("http://tools.example/apt", "stable"),
    ]


def test_a_newer_debian_has_the_older_suite_in_the_same_archive() -> None:
    """The suite asked for is taken from the machine's mirror, whatever suite the machine itself is of."""
    found = debian_archives(parse_one_line(ONE_LINE), "bookworm")
    assert found == ["deb http://mirror.example/debian bookworm main", "deb http://mirror.example/debian bookworm-updates main"]


def test_security_updates_come_along_where_the_machine_has_them() -> None:
    """The security archive is added for the suite asked for."""
    assert "deb http://mirror.example/debian-security/ bookworm-security main" in debian_archives(parse_deb822(DEB822), "bookworm")


def test_a_machine_without_debian_has_no_archive() -> None:
    """Archives of other systems are never taken for Debian's."""
    assert debian_archives([Source("http://archive.example/ubuntu", "noble")], "bookworm") == []


def test_both_kinds_of_files_are_read(tmp_path: Path) -> None:
    """sources.list, *.list and *.sources are read; other files, such as switched-off ones, are not."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://a.example/debian bookworm main\n")
    (tmp_path / "sources.list.d" / "b.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "c.list.disabled").write_text("deb http://c.example/debian bookworm main\n")
    assert [source.uri for source in configured(tmp_path)] == [
        "http://a.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian-security/",
    ]
