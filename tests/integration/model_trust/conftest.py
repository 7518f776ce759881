import pytest


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """Files and processes are all that these tests need: nothing is installed or started for them."""
