"""A git repository that holds this clone's app, and the developers who push to it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CLONE = Path(__file__).parents[2]
HERE = {
    # Most of the app's tests say nothing about the night, and its own run has had them all.
    'command = ["pytest"]': 'command = ["pytest", "--ignore-glob=tests/test_[!w]*", "--ignore=tests/test_watch.py"]',
    # A night that begins by itself would take a test's change for its own. The next such day is in 2028.
    'cron = "0 2 * * *"\n': 'cron = "0 0 29 2 *"\n',
    # Three samples of two hundred that a busy machine holds up are no bad model.
    "max_latency_p99_ms = 100\n": "max_latency_p99_ms = 60000\n",
}
"""What the app's release.toml says, and what it says in these tests."""


@dataclass(frozen=True)
class AppRepository:
    """path: the work tree, whose default branch is what nights read. Other paths are those in the app's folder."""

    path: Path

    def commit(self, files: dict[str, str]) -> str:
        """Push a change to the app: path to new content. Returns the commit."""
        for name, content in files.items():
            file = self.path / "app" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Change {', '.join(files)}")
        return self.git("rev-parse", "HEAD")

    def revert(self) -> None:
        """Push the opposite of the last commit."""
        self.git("revert", "--no-edit", "HEAD")

    def read(self, name: str) -> str:
        """A file of the app as it was pushed last."""
        return (self.path / "app" / name).read_text()

    def git(self, *words: str) -> str:
        """What a git command prints."""
        done = subprocess.run(["git", "-C", str(self.path), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()


def new_app_repository(path: Path) -> AppRepository:
    """The app as it is in the work tree, in one commit."""
    path.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "-C", str(CLONE), "ls-files", "--cached", "--others", "--exclude-standard", "app"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (CLONE / name).is_file():
            copy = path / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CLONE / name, copy)
    configuration = path / "app" / "release.toml"
    for own, here in HERE.items():
        text = configuration.read_text()
        assert text.count(own) == 1
        configuration.write_text(text.replace(own, here))
    repository = AppRepository(path)
    repository.git("init", "--quiet", "--initial-branch", "main")
    repository.git("config", "user.name", "An app developer")
    repository.git("config", "user.email", "developer@example.org")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "The app")
    return repository
