"""A sandbox that is only described: nothing of it is started."""

from pathlib import Path

import pytest

from nocturne.sandbox.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"NOCTURNE_HOME": str(tmp_path / "home"), "NOCTURNE_NAME": "trial"}, clone=tmp_path / "clone")
