"""One open connection to the API for callers that cannot await."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from nocturne.adapters.kubernetes.api import KubernetesApi

T = TypeVar("T")


class Session:
    """Runs everything in the loop of one thread, so that many requests share connections: a handshake for each would show in their
    times. Closed by `close`, and else when it is no longer used or the program ends.
    """

    def __init__(self, open_api: Callable[[], KubernetesApi]) -> None:
        """Raises what opening the API raises."""
        opened: Future[_Opened] = Future()
        # The thread knows nothing of this object, which could not be given up otherwise.
        thread = threading.Thread(target=lambda: asyncio.run(_keep_open(open_api, opened)), name="kubernetes", daemon=True)
        thread.start()
        self._api, self._loop, stop = opened.result()
        self.close = weakref.finalize(self, _end, self._loop, stop, thread)

    def run(self, work: Callable[[KubernetesApi], Coroutine[Any, Any, T]]) -> T:
        """Do something with the API, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work(self._api), self._loop).result()


_Opened = tuple[KubernetesApi, asyncio.AbstractEventLoop, asyncio.Event]


async def _keep_open(open_api: Callable[[], KubernetesApi], opened: "Future[_Opened]") -> None:
    stop = asyncio.Event()
    try:
        async with open_api() as api:
            opened.set_result((api, asyncio.get_running_loop(), stop))
            await stop.wait()
    except BaseException as error:
        if opened.done():
            raise
        opened.set_exception(error)


def _end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, thread: threading.Thread) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)
    # The last reference may be given up in the thread itself, which cannot wait for its own end.
    if thread is not threading.current_thread():
        thread.join()
