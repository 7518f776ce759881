"""What was measured of the servers, as tables with ratios in Markdown, and a verdict."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from serving_catalogue import APP, CLASSIC, LIMIT, Server
from serving_load import Load

PEER_TARGET, CLASSIC_TARGET, LIMIT_TARGET = 1.5, 4.0, 0.9
JUDGED = 16
"""The number of connections at which the first two are judged."""
START_TARGET = 1.5
"""In seconds, for the app with the small model: until it is ready, and until the first answer, which comes after that."""


@dataclass(frozen=True)
class Round:
    """One server in one round.

    start_seconds: from being spawned to the first right answer. idle_bytes: in memory after it; loaded_bytes: at most, after a
    load. processor_seconds: used by all its processes during each load.
    """

    server: str
    labels: tuple[str, ...]
    start_seconds: float
    idle_bytes: int
    loaded_bytes: int
    loads: tuple[Load, ...]
    processor_seconds: tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """The medians of one server over all rounds. The tuples have one item for each number of connections."""

    key: str
    title: str
    connections: tuple[int, ...]
    rates: tuple[float, ...]
    p50: tuple[float, ...]
    p99: tuple[float, ...]
    processor_per_thousand: tuple[float, ...]
    failed: int
    start_seconds: float
    idle_bytes: float
    loaded_bytes: float

    @property
    def valid(self) -> bool:
        """Whether it answered every request, and some in every load."""
        return not self.failed and min(self.rates) > 0


def row(server: Server, rounds: Sequence[Round]) -> Row:
    """The medians of a server's rounds."""
    own = [item for item in rounds if item.server == server.key]

    def each(value: Callable[[Load, float], float]) -> tuple[float, ...]:
        columns = zip(*(zip(item.loads, item.processor_seconds, strict=True) for item in own), strict=True)
        return tuple(median(value(load, seconds) for load, seconds in column) for column in columns)

    return Row(
        server.key,
        server.title,
        tuple(load.connections for load in own[0].loads),
        each(lambda load, _: load.rate),
        each(lambda load, _: load.p50),
        each(lambda load, _: load.p99),
        each(lambda load, seconds: 1000 * seconds / max(1, load.requests)),
        sum(load.failed for item in own for load in item.loads),
        median(item.start_seconds for item in own),
        median(item.idle_bytes for item in own),
        median(item.loaded_bytes for item in own),
    )


def show(model: str, servers: Sequence[Server], rounds: Sequence[Round]) -> dict[str, Any]:
    """Print the tables and the verdict; returns what they say as JSON values."""
    rows = [row(server, rounds) for server in servers]
    valid = {item.key: item for item in rows if item.valid}
    app = valid.get(APP)
    connections = next((item.connections for item in rows if item.key != LIMIT), (0,) * 3)
    tables = (_rates(rows, app, connections), _latencies(rows, connections), _costs(rows, app, connections))
    print("\n\n".join(["", f"### {model}", *tables, ""]))
    verdicts = _verdicts(model, valid) if app else []
    print("\n".join(f"- {text}" for text in verdicts))
    return {"rows": {item.key: item.__dict__ for item in rows}, "verdicts": verdicts}


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, marks, *lines))


def _against(value: float, app: float | None) -> str:
    return f" ({value / app:.2f})" if app else ""


def _rates(rows: Sequence[Row], app: Row | None, connections: Sequence[int]) -> str:
    heads = ["requests/s (ratio to the app)", *(f"{count} connection{'s' * (count > 1)}" for count in connections)]
    lines = [
        [item.title, *(f"{rate:,.0f}{_against(rate, app.rates[place] if app else None)}" for place, rate in enumerate(item.rates))]
        if item.valid
        else [item.title, *[f"invalid: {item.failed} failed" if item.failed else "invalid: too slow"] * len(connections)]
        for item in rows
    ]
    return _table(heads, lines)


def _latencies(rows: Sequence[Row], connections: Sequence[int]) -> str:
    heads = ["p50 / p99 in milliseconds", *(f"{count} connection{'s' * (count > 1)}" for count in connections)]
    kept = [item for item in rows if item.valid]
    lines = [[item.title, *(f"{p50:.2f} / {p99:.2f}" for p50, p99 in zip(item.p50, item.p99, strict=True))] for item in kept]
    return _table(heads, lines)


def _costs(rows: Sequence[Row], app: Row | None, connections: Sequence[int]) -> str:
    busy = min(1, len(connections) - 1)
    heads = [
        "(ratio to the app)",
        f"CPU seconds for 1,000 requests ({connections[busy]} connections)",
        "MB idle",
        "MB loaded",
        "seconds from start to first answer",
    ]
    lines = [
        [
            item.title,
            f"{item.processor_per_thousand[busy]:.2f}"
            + _against(item.processor_per_thousand[busy], app.processor_per_thousand[busy] if app else None),
            f"{item.idle_bytes / 1e6:.0f}" + _against(item.idle_bytes, app.idle_bytes if app else None),
            f"{item.loaded_bytes / 1e6:.0f}" + _against(item.loaded_bytes, app.loaded_bytes if app else None),
            f"{item.start_seconds:.2f}" + _against(item.start_seconds, app.start_seconds if app else None),
        ]
        for item in rows
        if item.valid
    ]
    return _table(heads, lines)


def _verdicts(model: str, valid: dict[str, Row]) -> list[str]:
    app, limit = valid[APP], valid.get(LIMIT)
    peers = [item for key, item in valid.items() if key not in (APP, LIMIT)]
    found = _large(app, peers, limit) if model == "resnet50" else _small(app, peers)
    return [f"{text}: {'met' if met else 'MISSED'}" for text, met in found]


def _large(app: Row, peers: Sequence[Row], limit: Row | None) -> Iterator[tuple[str, bool]]:
    if limit:
        share = max(app.rates) / max(limit.rates)
        yield f"{share:.2f} of the limit's throughput (target {LIMIT_TARGET})", share >= LIMIT_TARGET
    if peers:
        least = min(peers, key=lambda item: item.loaded_bytes)
        text = f"{app.loaded_bytes / 1e6:.0f} MB loaded; {least.title}, the peer with the least, {least.loaded_bytes / 1e6:.0f}"
        yield f"{text} (target: less)", app.loaded_bytes < least.loaded_bytes


def _small(app: Row, peers: Sequence[Row]) -> Iterator[tuple[str, bool]]:
    text = f"{app.start_seconds:.2f} s from start to first answer (target: less than {START_TARGET})"
    yield text, app.start_seconds < START_TARGET
    for place, count in enumerate(app.connections if peers else ()):
        best = max(peers, key=lambda item: item.rates[place])
        ratio, target = app.rates[place] / best.rates[place], PEER_TARGET if count == JUDGED else 1.0
        yield f"{count} connections: {ratio:.2f} times {best.title}, the best peer (target {target})", ratio >= target
        quick = min(peers, key=lambda item: item.p99[place])
        text = f"p99 {app.p99[place]:.2f} ms; {quick.title}, the peer with the least, {quick.p99[place]:.2f}"
        yield f"{count} connections: {text} (target: less)", app.p99[place] < quick.p99[place]
        classic = next((item for item in peers if item.key == CLASSIC), None)
        if classic and count == JUDGED:
            ratio = app.rates[place] / classic.rates[place]
            yield f"{count} connections: {ratio:.1f} times {classic.title} (target {CLASSIC_TARGET})", ratio >= CLASSIC_TARGET
