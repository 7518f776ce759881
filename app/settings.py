"""Everything an operator can set, read from environment variables once, when the app starts."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from app.cores import usable_cores
from app.limits import Limits
from app.logs import LogSettings, read_log_settings
from app.samples import Keeping

T = TypeVar("T", int, float)

SHORTEST_TOKEN = 16


class SettingsError(Exception):
    """The environment holds values that cannot work; `faults` lists all of them."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True)
class Settings:
    """The app's settings; `README.md` has the table of variables. since: when the app was started."""

    host: str
    port: int
    workers: int
    threads: int
    request_seconds: float
    intra_op_threads: int
    drain_seconds: float
    model_dir: Path
    release_file: Path
    limits: Limits
    samples: Keeping
    logs: LogSettings
    since: datetime


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings, or raise SettingsError with every fault found."""
    reader = _Reader(environment)
    settings = Settings(
        host=environment.get("HOST") or "0.0.0.0",
        port=reader.number("PORT", int, 8080, 0, 65535),
        workers=reader.number("WORKERS", int, usable_cores(), 1, 1024),
        threads=reader.number("THREADS", int, 1, 1, 1024),
        request_seconds=reader.number("REQUEST_SECONDS", float, 30.0, 1, 3600),
        intra_op_threads=reader.number("INTRA_OP_THREADS", int, 1, 1, 1024),
        drain_seconds=reader.number("DRAIN_SECONDS", float, 2.5, 0, 3600),
        model_dir=Path(environment.get("MODEL_DIR") or default_model_dir()),
        release_file=Path(environment.get("RELEASE_FILE") or "/release.json"),
        limits=Limits(
            body_bytes=reader.number("MAX_BODY_BYTES", int, Limits.body_bytes, 1, 2**31),
            images=reader.number("MAX_IMAGES", int, Limits.images, 1, 100_000),
            pixels=reader.number("MAX_PIXELS", int, Limits.pixels, 1, 2**28),
            queue_seconds=reader.number("QUEUE_SECONDS", float, Limits.queue_seconds, 0.01, 3600),
            connections=reader.number("MAX_CONNECTIONS", int, Limits.connections, 1, 1_000_000),
        ),
        samples=_samples(reader, environment.get("SAMPLES_TOKEN") or ""),
        logs=read_log_settings(environment, reader.faults),
        since=datetime.now(UTC),
    )
    if reader.faults:
        raise SettingsError(reader.faults)
    return settings


def default_model_dir() -> Path:
    """Return where a container has its model, or `./model` on a developer's machine."""
    inside_container = Path("/model")
    return inside_container if inside_container.exists() else Path("model")


def _samples(reader: "_Reader", token: str) -> Keeping:
    keeping = Keeping(reader.number("SAMPLES", int, 0, 0, 1000), token)
    # The token itself is never told: what is told ends up in a log.
    if token and not (token.isascii() and token.isprintable() and " " not in token and len(token) >= SHORTEST_TOKEN):
        expected = f"at least {SHORTEST_TOKEN} printable ASCII characters without spaces"
        reader.faults.append(f"SAMPLES_TOKEN has {len(token)} characters; expected {expected}. Correct or unset it.")
    return keeping


class _Reader:
    """Reads numbers and remembers what was wrong, so that all faults are told at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def number(self, name: str, kind: Callable[[str], T], default: T, low: T, high: T) -> T:
        text = self._environment.get(name)
        if not text:
            return default
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            expected = "a whole number" if kind is int else "a number"
            self.faults.append(f"{name} is {text!r}; expected {expected} from {low} to {high}. Correct or unset it.")
            return default
        return value
