"""A publisher in a process of its own, which says what it is about to write, and waits for leave: so it can be killed anywhere.

Arguments: the store's settings and the folder, pickled, in a file; the version.
"""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from nocturne.adapters.object_store import ObjectModelStore, connect
from nocturne.adapters.object_store.blobs import Blobs
from tests.integration.object_store.models import NAME, ignore, manifest_of

_ONE_AT_A_TIME = Lock()


class Asking(Blobs):
    """The real store. Before each write, and in the middle of each upload, a line is written and one is waited for."""

    def create(self, path: str, content: bytes) -> bool:
        _ask(f"create {path}")
        return super().create(path, content)

    def replace(self, path: str, content: bytes, e_tag: str) -> bool:
        _ask(f"replace {path}")
        return super().replace(path, content, e_tag)

    def upload(self, path: str, chunks: Iterator[bytes]) -> None:
        _ask(f"upload {path}")
        super().upload(path, self._halting(path, chunks))

    def _halting(self, path: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            _ask(f"middle of {path}")


def _ask(what: str) -> None:
    with _ONE_AT_A_TIME:
        print(what, flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    settings, folder = pickle.loads(Path(sys.argv[1]).read_bytes())
    store = ObjectModelStore(connect(settings), NAME)
    store._blobs = Asking(connect(settings))
    store.publish(folder, manifest_of(folder, sys.argv[2]), ignore, "a signature")
    print("published")
