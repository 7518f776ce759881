"""What Docker streams while it works, as lines that a person can follow."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Source: ECMA-48, section 5.4 (control sequences) and 8.3.89 (operating system commands)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_NOISE = re.compile(r"\s*(---> |Removing intermediate container|Successfully tagged|\[Warning\] One or more build-args)")
# A layer goes through a dozen states, and tells of some of them ten times a second; these are the ends.
_ENDS = frozenset({"Pushed", "Layer already exists", "Pull complete", "Already exists"})


def plain(text: str) -> str:
    """One line without colours, and without what a carriage return overwrote."""
    return _ANSI.sub("", text).rstrip("\r\n").rpartition("\r")[2].rstrip()


def build_lines(items: Iterable[Mapping[str, Any]]) -> Iterator[str | Mapping[str, Any]]:
    """The lines of a build's output, and the items with `error` or `aux` as they are."""
    rest = ""
    for item in items:
        *whole, rest = (rest + item.get("stream", "")).split("\n")
        yield from (line for line in map(plain, whole) if line and not _NOISE.match(line))
        if "error" in item or "aux" in item:
            yield item
    if last := plain(rest):
        yield last


def transfer_line(item: Mapping[str, Any]) -> str | None:
    """The line for an item of a push or a pull, None for one that says nothing new."""
    status, layer = str(item.get("status", "")), item.get("id")
    if status in _ENDS or status.startswith("Mounted from"):
        return f"layer {layer}: {status[0].lower()}{status[1:]}"
    return None
