from pathlib import Path

import pytest

from nocturne.composition import deployed_configuration
from nocturne.composition.deployed import cache_limit
from nocturne.domain.errors import ConfigurationError

DEPLOYED = Path(__file__).parents[3] / "app" / "release.toml"


def test_the_environment_of_the_night_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    """NOCTURNE_ENVIRONMENT says where nights ship to, whatever the file says; empty counts as unset."""
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(DEPLOYED))
    monkeypatch.setenv("NOCTURNE_ENVIRONMENT", "kubernetes")
    assert deployed_configuration().night.environment == "kubernetes"
    monkeypatch.setenv("NOCTURNE_ENVIRONMENT", "")
    assert deployed_configuration().night.environment == "sandbox"


def test_an_environment_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name is a fault that lists the environments there are."""
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(DEPLOYED))
    monkeypatch.setenv("NOCTURNE_ENVIRONMENT", "mars")
    with pytest.raises(ConfigurationError, match="found 'mars', expected one of kubernetes, sandbox") as caught:
        deployed_configuration()
    assert caught.value.source == "NOCTURNE_ENVIRONMENT"


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A deployed file that cannot be read is named."""
    monkeypatch.setenv("NOCTURNE_RELEASE_FILE", str(tmp_path / "release.toml"))
    with pytest.raises(ConfigurationError, match=r"release\.toml has 1 fault"):
        deployed_configuration()


def test_the_limit_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """NOCTURNE_CACHE_BYTES is a number of bytes, 0 for none; without it, or empty, 20 GB are kept."""
    monkeypatch.delenv("NOCTURNE_CACHE_BYTES", raising=False)
    assert cache_limit() == 20_000_000_000
    monkeypatch.setenv("NOCTURNE_CACHE_BYTES", "")
    assert cache_limit() == 20_000_000_000
    monkeypatch.setenv("NOCTURNE_CACHE_BYTES", "0")
    assert cache_limit() == 0


@pytest.mark.parametrize("text", ["20GB", "-1", "1e9", "²"])
def test_a_limit_that_is_no_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Anything but a whole number is a fault that names the variable."""
    monkeypatch.setenv("NOCTURNE_CACHE_BYTES", text)
    with pytest.raises(ConfigurationError, match=f"found {text!r}, expected a whole number of bytes") as caught:
        cache_limit()
    assert caught.value.source == "NOCTURNE_CACHE_BYTES"
