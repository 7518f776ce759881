"""The one bit that the supervisor tells its worker processes: we are leaving."""

import mmap


class DrainFlag:
    """A flag in memory shared by this process and all that it forks afterwards; it starts lowered.

    Anonymous shared memory needs no file, so it works with a read-only file system and without `/tmp` or `/dev/shm`.
    One byte is written once, so no lock is needed.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def raise_(self) -> None:
        """Tell all processes that share this flag to send clients elsewhere."""
        self._memory[0] = 1

    def is_raised(self) -> bool:
        """Tell whether the app is about to stop."""
        return self._memory[0] == 1
