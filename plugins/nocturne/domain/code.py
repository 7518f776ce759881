"""The code half of a release."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeVersion:
    """One commit of the app's repository.

    commit: 40 hexadecimal digits. tree: git's hash of the app's folder at that commit, which is the identity: a commit
    that does not touch the app is the same code version. committed_at: RFC 3339, UTC. subject: the first line of the message.
    """

    commit: str
    tree: str
    committed_at: str
    subject: str
