import pytest


@pytest.fixture(autouse=True)
def only_our_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip asks nobody but the index of the test, and is quick to give up."""
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
