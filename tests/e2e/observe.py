"""Looking at a place from outside: as its users, and as somebody who waits."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.e2e.place import Place
from tests.load import Load


def live(place: Place) -> str:
    """The release that users get."""
    release: str = place.version()["release"]
    return release


@contextmanager
def unharmed_users(place: Place) -> Iterator[None]:
    """Fifty requests a second for one golden digit meanwhile, none of which may fail."""
    sample = json.loads(place.read("golden/digits.json"))["samples"][0]
    with Load(place.app_port, 50, "/score", {"input": json.dumps([sample["image"]])}) as load:
        yield
    assert (load.failures, load.requests > 200) == ([], True)


def wait_for(condition: Callable[[], bool], seconds: float = 300, pause: float = 0.5) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not happen in {seconds} s"
        time.sleep(pause)
