"""The running app, as its users see it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. body: parsed JSON, or the text where it is none. seconds: from sending to the last byte."""

    status: int
    body: Any
    seconds: float


class AppClient(ABC):
    """Sends requests to one base address."""

    @abstractmethod
    def get(self, path: str) -> Answer:
        """GET a path. Raises Broken when nothing answers at the address."""

    @abstractmethod
    def post(self, path: str, body: Any) -> Answer:
        """POST JSON to a path. Raises Broken when nothing answers at the address."""


class AppClients(ABC):
    """Makes a client for an address."""

    @abstractmethod
    def open(self, url: str) -> AppClient:
        """A client for the app at a base address."""
