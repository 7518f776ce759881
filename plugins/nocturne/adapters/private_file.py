"""Files that only their owner may read, and the forms of what stands in them."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

_PARTIAL = ".partial"


def write_private(file: Path, content: str, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write a file that only its owner may read, whole or not at all, even when the machine dies meanwhile.

    owner: user and group by number, before anybody can read it; None for the caller.
    """
    # Not the process' number: in two containers with one volume, both are process 1.
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}{_PARTIAL}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as output:
            output.write(content)
            output.flush()
            os.fchmod(output.fileno(), mode)
            if owner is not None:
                os.fchown(output.fileno(), *owner)
            os.fsync(output.fileno())
        partial.replace(file)
    except BaseException:
        with suppress(FileNotFoundError):
            partial.unlink()
        raise
    _sync_folder(file.parent)


def remove_partial(folder: Path) -> None:
    """Take away what processes that were killed left half written. Only while nobody writes."""
    for file in folder.glob(f"*{_PARTIAL}"):
        file.unlink(missing_ok=True)


def new_password() -> str:
    """For people: 24 characters of letters, digits, `-` and `_`, with 144 bits."""
    return secrets.token_urlsafe(18)


def new_key() -> str:
    """For machines: 256 bits in hexadecimal, which means the same in a URL, a shell and every kind of configuration."""
    return secrets.token_hex(32)


def new_fernet_key() -> str:
    """URL-safe base64 of 32 bytes (https://github.com/fernet/spec/blob/master/Spec.md)."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def new_storage_key() -> str:
    """The key of an Azure Storage account: base64 of 64 bytes."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def _sync_folder(folder: Path) -> None:
    # A rename is kept only when its folder is (https://man7.org/linux/man-pages/man2/fsync.2.html).
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
