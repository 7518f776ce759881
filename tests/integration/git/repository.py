"""A repository of some developer, made with the git command."""

import os
import subprocess
from pathlib import Path

_SETTINGS = ("user.name=Ada", "user.email=ada@example.com", "init.defaultBranch=main", "commit.gpgSign=false")


class Repository:
    """A work tree; `root` is its path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        """Run git here and return what it wrote."""
        options = [part for setting in _SETTINGS for part in ("-c", setting)]
        plain = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        quiet = plain | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_DATE": "2026-11-20T03:00:00+01:00"}
        command = ["git", *options, "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=self.root, env=quiet, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        """Write files without committing them."""
        for path, content in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(content)

    def commit(self, files: dict[str, str], subject: str = "A change") -> str:
        """Write and commit files; the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")
