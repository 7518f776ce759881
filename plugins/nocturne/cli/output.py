"""How results are shown: tables for people, JSON for scripts."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]

# Not on a terminal nobody can make the window wider: a table is as wide as it needs, and no id is cut.
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 240)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a result; dataclasses become objects."""
    sys.stdout.write(json.dumps(value, indent=2, default=_plain, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows under columns; a sentence where there are none."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    if table.row_count:
        out.print(table)
    else:
        out.print(empty)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values, aligned; lines of a longer value stay together."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(f"[bold]{name}[/bold]", escape(value))
    out.print(table)


def day(time: str) -> str:
    """A time from the ledger, to the second, as people read it."""
    return time[:19].replace("T", " ")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
