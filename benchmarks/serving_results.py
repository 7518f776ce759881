"""What benchmarks/serving.py has measured so far, kept in a file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving_table import Round


class Results:
    """By model, what each round of each server measured, and a summary once a model is done.

    file: holds all of it after each round, and is whole whenever the benchmark is ended; None for no file. about: the machine.
    """

    def __init__(self, file: Path | None, about: dict[str, Any]) -> None:
        self._file = file
        self._content: dict[str, Any] = {"about": about}
        self._write()

    def add(self, model: str, measured: Round) -> None:
        """Keep one server's round."""
        self._content.setdefault(model, {"measured": []})["measured"].append(asdict(measured))
        self._write()

    def summarise(self, model: str, summary: dict[str, Any]) -> None:
        """Keep what all rounds of a model come to."""
        self._content[model] = {"summary": summary, **self._content[model]}
        self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        part = self._file.with_name(f"{self._file.name}.part")
        part.write_text(json.dumps(self._content, indent=2) + "\n")
        part.replace(self._file)
