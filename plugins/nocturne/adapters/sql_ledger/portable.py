"""A ledger as a file that belongs to no database: JSON lines (https://jsonlines.org), UTF-8.

    {"format": "nocturne-ledger", "version": 1, "revision": "0001"}
    ["releases", {"number": 1, "id": "r-...", ...}]
    ...
    {"rows": {"releases": 1, ...}, "sha256": "..."}

The last line has the count of each table's rows, and the SHA-256 of all bytes before it: a file that ends too early, or was
changed, is told from a whole one. The same rows make the same bytes, whatever database they came from.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from nocturne.domain.errors import Broken

_FORMAT = {"format": "nocturne-ledger", "version": 1}


@dataclass(frozen=True)
class Totals:
    """What a file ends with. rows: how many of each table."""

    rows: dict[str, int]
    sha256: str


class PortableWriter:
    """Writes one file. stream: None only counts, and takes the digest."""

    def __init__(self, stream: BinaryIO | None, revision: str, tables: list[str]) -> None:
        self._stream = stream
        self._rows = dict.fromkeys(tables, 0)
        self._digest = hashlib.sha256()
        self._write(_line({**_FORMAT, "revision": revision}))

    def row(self, table: str, values: dict[str, Any]) -> None:
        """One row."""
        self._rows[table] += 1
        self._write(_line([table, values]))

    def end(self) -> Totals:
        """The last line; a file without it is not whole."""
        totals = Totals(self._rows, self._digest.hexdigest())
        self._write(_line(vars(totals)))
        return totals

    def _write(self, line: bytes) -> None:
        self._digest.update(line)
        if self._stream is not None:
            self._stream.write(line)


def checked(stream: BinaryIO, revision: str) -> Totals:
    """What the file's last line says, once all of it was read and is so. Raises Broken for a file that is not whole, is not of this
    format or holds another revision."""
    digest, counts, before = hashlib.sha256(), dict[str, int](), b""
    for number, line in enumerate(stream, 1):
        if number == 1:
            _check_header(line, revision)
        elif number > 2:
            table = _row(before, number - 1)[0]
            counts[table] = counts.get(table, 0) + 1
        digest.update(before)
        before = line
    last = _parsed(before)
    if not isinstance(last, dict) or last.keys() != {"rows", "sha256"} or not isinstance(last["rows"], dict):
        raise _damaged("its last line is missing: it ends too early")
    if (found := digest.hexdigest()) != last["sha256"]:
        raise _damaged(f"its SHA-256 is {found}, expected {last['sha256']} as its last line says")
    if (stated := {name: count for name, count in last["rows"].items() if count}) != counts:
        raise _damaged(f"it has rows {counts}, expected {stated} as its last line says")
    return Totals(**last)


def rows(stream: BinaryIO) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, values) of each row of a file that was checked."""
    stream.readline()
    for number, line in enumerate(stream, 2):
        if line.startswith(b"["):
            yield _row(line, number)


def _check_header(line: bytes, revision: str) -> None:
    header = _parsed(line)
    if not isinstance(header, dict) or {name: header.get(name) for name in _FORMAT} != _FORMAT:
        raise Broken(
            f"this is no exported ledger: found {line[:80]!r} in its first line, expected {json.dumps(_FORMAT)}",
            advice="name a file that `nocturne ledger export` of this version wrote",
        )
    if header.get("revision") != revision:
        raise Broken(
            f"the file holds revision {header.get('revision')}, this program knows {revision}",
            advice="run `nocturne ledger upgrade` where it came from, with this version of Nocturne, then export it again",
        )


def _row(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    found = _parsed(line)
    if not (isinstance(found, list) and len(found) == 2 and isinstance(found[0], str) and isinstance(found[1], dict)):
        raise _damaged(f"line {number} is no row")
    return found[0], found[1]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        # What is no JSON is told where it is missed, with the line or the end that was expected.
        return None


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _damaged(how: str) -> Broken:
    return Broken(f"the exported ledger is damaged: {how}", advice="export it again, or take an older file; nothing was changed")
