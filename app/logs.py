"""What the app writes to stderr: one JSON object a line for machines, or plain lines for a person at a terminal."""

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

FORMATS = ("json", "text")
REQUESTS = ("failures", "all", "none")
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class LogSettings:
    """How logs look (one of FORMATS), which requests get a line (REQUESTS), and the least that is told (LEVELS)."""

    format: str = "json"
    requests: str = "failures"
    level: str = "info"


def read_log_settings(environment: Mapping[str, str], faults: list[str]) -> LogSettings:
    """Return the settings, adding to `faults` what is wrong with them. A terminal gets text by default."""

    def one_of(name: str, allowed: tuple[str, ...], default: str) -> str:
        told = environment.get(name) or default
        if told.lower() in allowed:
            return told.lower()
        faults.append(f"{name} is {told!r}; expected {', '.join(allowed[:-1])} or {allowed[-1]}. Correct or unset it.")
        return default

    return LogSettings(
        format=one_of("LOG_FORMAT", FORMATS, "text" if sys.stderr.isatty() else "json"),
        requests=one_of("LOG_REQUESTS", REQUESTS, "failures"),
        level=one_of("LOG_LEVEL", LEVELS, "info"),
    )


def set_up_logs(settings: LogSettings, release: str | None) -> None:
    """Send all log records of this process and of those that it forks to stderr; again once the release is known."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(release) if settings.format == "json" else TextLines())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


class JsonLines(logging.Formatter):
    """One JSON object a line; a record's `fields` become members, an exception one member with its traceback."""

    def __init__(self, release: str | None) -> None:
        super().__init__()
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            "release": self._release,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(content, default=str).decode()
        except TypeError:
            # An address may hold what is no valid text: lone surrogates, which only this one can write.
            return json.dumps(content, default=str)


class TextLines(logging.Formatter):
    """The time of day, the level and the message, on one line whatever it holds; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        message = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in record.getMessage())
        lines = [f"{datetime.fromtimestamp(record.created):%H:%M:%S} {record.levelname.lower():7} {message}"]
        traceback = getattr(record, "fields", {}).get("exception")
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
        # Told by somebody else, a line of it could otherwise pass for one of the app's own.
        lines += [f"    {line}" for line in (traceback or "").splitlines()]
        return "\n".join(lines)
