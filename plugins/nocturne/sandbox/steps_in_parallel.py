"""Doing several things at once, each as soon as what it needs is done."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from nocturne.domain.errors import Broken, NocturneError
from nocturne.sandbox.programs import Interrupted


@dataclass(frozen=True)
class Step:
    """Something to do. needs: names of the steps that must have succeeded before."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()


def run_all(steps: Sequence[Step], failed: Callable[[str, str], None], interrupt: Callable[[], None]) -> None:
    """Run all steps. One that fails takes along only those that need it; the others go on to their end.

    failed: told each failure at once. interrupt: called on Ctrl-C, must make running steps end. Raises Broken with every
    failure, or what was raised when there was only one.
    """
    order = _Order(steps)
    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        try:
            _run(order, pool, failed)
        except BaseException:
            interrupt()
            raise
    order.raise_failures()


class _Order:
    def __init__(self, steps: Sequence[Step]) -> None:
        self._waiting = {step.name: step for step in steps}
        unknown = {need for step in steps for need in step.needs} - set(self._waiting)
        if unknown:
            raise ValueError(f"steps need {sorted(unknown)}, but there are only {sorted(self._waiting)}")
        self._done: set[str] = set()
        self._failures: dict[str, NocturneError] = {}

    def next_steps(self) -> list[Step]:
        """Those that can start now; they are given out once."""
        ready = [step for step in self._waiting.values() if self._done.issuperset(step.needs)]
        for step in ready:
            del self._waiting[step.name]
        return ready

    def finished(self, name: str, failure: NocturneError | None) -> None:
        if failure is None:
            self._done.add(name)
        else:
            self._failures[name] = failure

    def raise_failures(self) -> None:
        if not self._failures:
            return
        first, *others = self._failures.values()
        if not others:
            raise first
        listing = "\n".join(f"{name}: {failure.message}" for name, failure in self._failures.items())
        advice = "; ".join(dict.fromkeys(failure.advice for failure in self._failures.values() if failure.advice))
        raise Broken(f"{len(self._failures)} parts failed:\n{listing}", advice=advice) from first


def _run(order: _Order, pool: ThreadPoolExecutor, failed: Callable[[str, str], None]) -> None:
    running: dict[Future[None], str] = {pool.submit(step.run): step.name for step in order.next_steps()}
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            name = running.pop(future)
            failure = _failure(future)
            order.finished(name, failure)
            if failure is not None:
                failed(name, failure.message.partition("\n")[0])
        running.update({pool.submit(step.run): step.name for step in order.next_steps()})


def _failure(future: "Future[None]") -> NocturneError | None:
    error = future.exception()
    if error is None or isinstance(error, NocturneError):
        return error
    if isinstance(error, Interrupted):
        return Broken("was interrupted")
    raise error
