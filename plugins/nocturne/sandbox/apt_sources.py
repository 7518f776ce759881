"""Where this machine's apt gets Debian from, so that the base image comes from the same mirror.

Source of both formats: https://manpages.debian.org/bookworm/apt/sources.list.5.en.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path("/etc/apt")
_ONE_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)")


@dataclass(frozen=True)
class Source:
    """One archive that apt uses, with its suite (`bookworm`, `bookworm-security`)."""

    uri: str
    suite: str


def configured(folder: Path = _FOLDER) -> list[Source]:
    """All sources of binary packages, in the order apt reads them."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        if file.suffix == ".list" and file.exists():
            found += parse_one_line(file.read_text())
        elif file.suffix == ".sources":
            found += parse_deb822(file.read_text())
    return found


def debian_archives(sources: Iterable[Source], suite: str) -> list[str]:
    """The lines for a Debian system of this suite: the archive, and its security updates where this machine has them.

    A machine of another suite has the same archives. Empty when it has none of Debian.
    """
    archive = next((source.uri for source in sources if _is_debian(source.uri)), None)
    if archive is None:
        return []
    security = next((source.uri for source in sources if source.uri.rstrip("/").endswith("/debian-security")), None)
    lines = [f"deb {archive} {suite} main", f"deb {archive} {suite}-updates main"]
    return lines + ([f"deb {security} {suite}-security main"] if security else [])


def parse_one_line(text: str) -> Iterator[Source]:
    """Sources in the form `deb [options] uri suite components`."""
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if match:
            yield Source(match["uri"], match["suite"])


def parse_deb822(text: str) -> Iterator[Source]:
    """Sources in paragraphs of `Field: value`, values going on in indented lines."""
    for paragraph in re.split(r"\n\s*\n", text):
        fields = _fields(paragraph)
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in ("no", "false", "0"):
            for uri in fields.get("uris", "").split():
                for suite in fields.get("suites", "").split():
                    yield Source(uri, suite)


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _is_debian(uri: str) -> bool:
    return uri.rstrip("/").endswith("/debian")
