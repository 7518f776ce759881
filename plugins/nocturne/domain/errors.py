"""The two ways a step can fail, which never share a retry: the release was refused, or the machinery failed."""

from typing import ClassVar


class NocturneError(Exception):
    """Base of everything that Nocturne raises on purpose.

    The message says what was found and what was expected; `advice` says what to do about it. word: what people call its kind.
    """

    word: ClassVar[str] = "error"

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n  What to do: {self.advice}" if self.advice else self.message


class Rejected(NocturneError):
    """The release is not acceptable: a failed test, a bad model, a failed rollout. Trying again would not help.

    culprits: what goes into quarantine beside the release: a model digest, a code tree; empty when neither half is to blame alone.
    """

    word = "rejected"

    def __init__(self, message: str, *, advice: str = "", culprits: tuple[str, ...] = ()) -> None:
        super().__init__(message, advice=advice)
        self.culprits = culprits

    def blaming(self, *culprits: str) -> "Rejected":
        """The same rejection with these culprits, for a step that knows more than the adapter that raised it."""
        return type(self)(self.message, advice=self.advice, culprits=culprits)


class BadBlob(Rejected):
    """The store does not hold what a model's manifest says. To blame is the published version, by name: the same model, published
    again, is as good as any, and so is a release made from it."""


class Broken(NocturneError):
    """The machinery failed and says nothing about the release: a registry was down, a node died. Worth a retry."""

    word = "broken"


class BlobChanged(Broken):
    """A blob is no longer the one that was frozen at the start of the run; the next run freezes the new one."""


class Inconclusive(Broken):
    """A comparison had too little data: the release is neither good nor bad. Tried again by the next run only."""

    word = "inconclusive"


class Unclear(Inconclusive):
    """A model is worse than the live one by more than is allowed, but perhaps by chance. That stays so until the model, the code or
    the live release is another."""


class Relapsed(Broken):
    """A release that was verified in an environment before does not do well there now: that says something about what is around
    it, not about the release. Tried again by the next run only, for users wait meanwhile."""


class LeaseTaken(Broken):
    """Another run is deploying into the environment right now."""


class NotFound(NocturneError):
    """What was asked for by name does not exist; the message lists what does."""

    word = "not found"


class Conflict(NocturneError):
    """What was to be created exists already, or moved while we looked; nothing was changed."""

    word = "conflict"


class ConfigurationError(NocturneError):
    """A configuration with one or more faults, all of them reported at once."""

    word = "wrong configuration"

    def __init__(self, source: str, faults: list[str]) -> None:
        self.source = source
        self.faults = tuple(faults)
        listing = "\n".join(f"  - {fault}" for fault in faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{source} has {count}:\n{listing}", advice=f"correct {source}; docs/configuration.md lists every key")

    def __reduce__(self) -> tuple[type["ConfigurationError"], tuple[str, list[str]]]:
        """Pickled by its own arguments, which are not its base's."""
        return type(self), (self.source, list(self.faults))
