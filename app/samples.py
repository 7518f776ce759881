"""A few of the images that users sent, kept in memory so that the next release can be asked the same.

Off unless an operator says how many and gives a token: images of users may be personal data (see README.md).
"""

import base64
import hmac
import random
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

SHARE = 0.1
"""Of the scored images that are kept, by chance: never all, so that whole requests of a user are rarely there."""

MAX_BYTES = 4 * 1024 * 1024
"""The most that one process keeps of them: base64 text, all images together."""


@dataclass(frozen=True)
class Keeping:
    """What an operator allows. count: images that each process may keep. token: who may read them; not in its text."""

    count: int = 0
    token: str = field(default="", repr=False)

    @property
    def allowed(self) -> bool:
        """Whether anything may be kept: nobody could read it otherwise."""
        return self.count > 0 and bool(self.token)


@dataclass(frozen=True)
class Kept:
    """One image as it was sent, in base64, and the labels that it was answered with, best first."""

    image: str
    labels: tuple[str, ...]


class Samples:
    """The newest images that chance chose, of this process alone; gone with it. For several threads.

    share: how likely it is (0 to 1) that an image is kept. max_bytes: of all base64 texts together.
    """

    def __init__(self, keeping: Keeping, share: float = SHARE, max_bytes: int = MAX_BYTES) -> None:
        self._keeping = keeping
        self._share = share
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: deque[Kept] = deque()
        self._lock = threading.Lock()
        # Workers are forked: each throws its own dice.
        self._dice = random.Random()

    def offer(self, image: str | bytes, labels: Sequence[str]) -> None:
        """Keep an image, in base64 or as its file's bytes, and its answer, if chance says so; the oldest make room."""
        if self._dice.random() >= self._share:
            return
        if isinstance(image, bytes):
            image = base64.b64encode(image).decode()
        if len(image) > self._max_bytes:
            return
        with self._lock:
            self._kept.append(Kept(image, tuple(labels)))
            self._bytes += len(image)
            while len(self._kept) > self._keeping.count or self._bytes > self._max_bytes:
                self._bytes -= len(self._kept.popleft().image)

    def kept(self) -> list[Kept]:
        """All that is kept now, the oldest first."""
        with self._lock:
            return list(self._kept)

    def may_read(self, authorization: str) -> bool:
        """Whether an `Authorization` header bears the token; how long the look takes tells nothing about it."""
        expected = f"Bearer {self._keeping.token}"
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), expected.encode())
