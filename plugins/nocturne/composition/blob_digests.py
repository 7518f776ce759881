"""What is in blobs, remembered in the ledger, for every machine."""

from collections.abc import Callable

from nocturne.domain import digest
from nocturne.domain.records import Evidence, Subject
from nocturne.ports.clock import Clock
from nocturne.ports.ledger import Ledger
from nocturne.ports.model_store import BlobDigests


class LedgerBlobDigests(BlobDigests):
    """Evidence about blobs. connection: of the store that they are in. ledger: opened only when it is asked something."""

    def __init__(self, ledger: Callable[[], Ledger], clock: Clock, connection: str) -> None:
        self._ledger, self._clock, self._connection = ledger, clock, connection

    def recall(self, blob: str, pin: str) -> str | None:
        """See the port."""
        known = self._ledger().recall(Subject.BLOB, self._key(blob, pin))
        sha256 = known.details.get("sha256") if known else None
        return digest.check(sha256) if isinstance(sha256, str) else None

    def remember(self, blob: str, pin: str, sha256: str) -> None:
        """See the port."""
        now = self._clock.now().isoformat()
        self._ledger().evidence(Evidence(Subject.BLOB, self._key(blob, pin), True, "", now, {"sha256": sha256}))

    def _key(self, blob: str, pin: str) -> str:
        return f"{self._connection}/{blob}@{pin}"
