"""A bare copy of a repository in the cache, which anyone may delete at any time and which is then made anew."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nocturne.adapters.git.command import Git, GitFailed
from nocturne.adapters.git.remote import Remote
from nocturne.domain.errors import Broken

Result = TypeVar("Result")

_HEAD = "refs/nocturne/HEAD"
_BRANCHES_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = ("fetch", "--quiet", "--prune", "--no-tags", "--update-shallow", "--no-write-fetch-head")


class Mirror:
    """The copy of one remote. cache: a folder of this machine; the copies are in `git/<sha256 of the URL>`.

    One process at a time fetches, the others wait for it; reading waits for nobody.
    """

    def __init__(self, remote: Remote, cache: Path) -> None:
        self._remote = remote
        self._folder = cache.absolute() / "git" / hashlib.sha256(remote.url.encode()).hexdigest()
        self._partial = self._folder.with_suffix(".partial")
        self._lock = self._folder.with_suffix(".lock")

    def commit(self, expression: str) -> str | None:
        """The commit that an expression stands for in the copy as it is, None for none."""
        try:
            return Git(self._folder).run("rev-parse", "--verify", "--quiet", f"{expression}^{{commit}}").decode().strip()
        except GitFailed:
            return None

    def refresh(self) -> None:
        """Make the copy what the remote is now. Raises Broken when the remote is out of reach."""
        with self._locked() as lock:
            self._refresh(lock)

    def fetch_commit(self, commit: str) -> None:
        """Ask the remote for a commit that none of its branches holds (any more); it need not have it or give it.

        Raises Broken when the remote is out of reach.
        """
        with self._locked() as lock:
            try:
                self._talking(lock).run(*_FETCH, *self._remote.options, "--", self._remote.url, commit)
            except GitFailed:
                self._ask(lock)

    def reading(self, operation: Callable[[Git], Result]) -> Result:
        """What an operation reads from the copy. When that is damaged, it is made anew first. Raises Broken."""
        try:
            return operation(Git(self._folder))
        except GitFailed:
            with self._locked() as lock:
                return self._reading_again(operation, lock)

    def _reading_again(self, operation: Callable[[Git], Result], lock: int) -> Result:
        try:
            return operation(Git(self._folder))  # somebody else may have made it anew meanwhile
        except GitFailed:
            self._make(lock)
        try:
            return operation(Git(self._folder))
        except GitFailed as failure:
            raise self._broken(failure) from failure

    def _refresh(self, lock: int) -> None:
        if not self._folder.exists():
            self._make(lock)
            return
        try:
            self._fetch(self._talking(lock))
        except GitFailed:
            # Either the remote is away, which this tells, or the copy is damaged, and then it is of no use.
            self._ask(lock)
            self._make(lock)

    def _make(self, lock: int) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        git = self._talking(lock, self._partial)
        try:
            git.run("init", "--quiet", "--bare", "--template=")
            git.run("symbolic-ref", "HEAD", _HEAD)
            self._fetch(git)
        except GitFailed as failure:
            raise self._broken(failure) from failure
        if self._folder.exists():
            shutil.rmtree(self._folder)
        os.rename(self._partial, self._folder)

    def _fetch(self, git: Git) -> None:
        source = (*_FETCH, *self._remote.options, "--", self._remote.url, *_BRANCHES_AND_TAGS)
        try:
            git.run(*source, f"+HEAD:{_HEAD}")
        except GitFailed as failure:
            # A remote whose default branch does not exist, or without any commit.
            if "remote ref HEAD" not in failure.errors:
                raise
            git.run(*source)
            git.run("update-ref", "-d", _HEAD)

    def _ask(self, lock: int) -> None:
        try:
            self._talking(lock).run("ls-remote", "--quiet", *self._remote.options, "--", self._remote.url, "HEAD")
        except GitFailed as failure:
            raise self._broken(failure) from failure

    def _talking(self, lock: int, folder: Path | None = None) -> Git:
        # Git keeps the lock open too: when this process is killed, nobody meddles until its git has ended.
        return Git(folder or self._folder, self._remote.settings, self._remote.environment, (lock,))

    def _broken(self, failure: GitFailed) -> Broken:
        return Broken(
            f"git {failure.command} of {self._remote} failed: {self._remote.masked(failure.errors) or 'it said nothing'}",
            advice="check that the repository is there, that its credentials are right and that the disk has room",
        )

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            lock = self._acquire()
        except OSError as error:
            raise Broken(f"the cache at {self._folder.parent} cannot be used: {error}") from error
        try:
            yield lock
        except OSError as error:
            raise Broken(f"the cache at {self._folder} cannot be used: {error}") from error
        finally:
            os.close(lock)

    def _acquire(self) -> int:
        while True:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The lock file may have been deleted with the cache while we waited for it; it then locks nothing.
            if self._lock.exists() and os.path.samestat(os.fstat(lock), self._lock.stat()):
                return lock
            os.close(lock)
