from pathlib import Path

import pytest

from nocturne.adapters.git import GitCodeSource
from tests.integration.git.repository import Repository

FILES = {"app/web.py": "print('hi')\n", "app/tests/test_web.py": "assert True\n", "docs/guide.md": "# Guide\n"}


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    """A developer's clone with one commit on `main`."""
    repository = Repository(tmp_path / "origin")
    repository.commit(FILES, "The first version")
    return repository


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def source(origin: Repository, cache: Path) -> GitCodeSource:
    return GitCodeSource(str(origin.root), "app", cache)
