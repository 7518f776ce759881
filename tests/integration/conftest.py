import pytest


@pytest.fixture(scope="session", autouse=True)
def _prepared(prepared: None) -> None:
    """What real systems need is there for every test in this folder."""
