"""What every fake can do: count its calls, and fail when it is told to."""

from collections import Counter, defaultdict


class Scripted:
    """calls: how often each method was called, whether or not it failed."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._failures: defaultdict[str, list[Exception]] = defaultdict(list)

    def fail_next(self, method: str, *errors: Exception) -> None:
        """The next calls of a method raise these, one each; after them it works again."""
        if not hasattr(self, method):
            raise AttributeError(f"{type(self).__name__} has no method {method}")
        self._failures[method].extend(errors)

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        if self._failures[method]:
            raise self._failures[method].pop(0)
