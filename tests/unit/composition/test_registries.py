"""How a registry is called, by us and by those who pull from it."""

import pytest

from nocturne.composition.registries import engine_logins, registry_address, registry_credentials
from nocturne.domain.errors import ConfigurationError
from nocturne.ports.connections import Connection


@pytest.mark.parametrize(
    ("host", "port", "url", "images"),
    [
        ("http://localhost", 5000, "http://localhost:5000", "localhost:5000"),
        ("localhost", 5000, "http://localhost:5000", "localhost:5000"),
        ("registry.example.org", None, "https://registry.example.org", "registry.example.org"),
        ("http://registry", 5000, "http://registry:5000", "registry:5000"),
    ],
)
def test_one_name_for_all(host: str, port: int | None, url: str, images: str) -> None:
    """Without more, engine and cluster pull by the name that we call the registry by."""
    assert registry_address(Connection("r", "docker", host, port)) == (url, images)


def test_another_name_for_those_who_pull() -> None:
    """`extra.image_host` stands before the repository and in the engine's logins; the API is still where the connection says."""
    connection = Connection("r", "docker", "http://registry", 5000, "me", "secret", {"image_host": "localhost:5000"})
    assert registry_address(connection) == ("http://registry:5000", "localhost:5000")
    logins = engine_logins(connection, registry_credentials(connection))
    assert logins == {"localhost:5000": {"username": "me", "password": "secret"}}


@pytest.mark.parametrize("wrong", ["http://localhost:5000", "localhost:5000/", "localhost:port", 5000, ["localhost"]])
def test_a_name_that_is_none(wrong: object) -> None:
    """Anything but a host with its port is a fault of the connection, with what was found."""
    connection = Connection("nocturne_registry", "docker", "http://registry", 5000, extra={"image_host": wrong})
    with pytest.raises(ConfigurationError, match=r"extra\.image_host: found .*expected a host with its port"):
        registry_address(connection)


def test_azure_is_asked_for_the_registry_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of Entra ID is for the login server, however the images are called."""
    from nocturne.adapters import azure

    asked = []
    monkeypatch.setattr(azure, "RegistrySignIn", lambda connection, url, service: asked.append((url, service)))
    extra = {"tenantId": "t", "image_host": "mirror.example.org"}
    registry_credentials(Connection("r", "azure", "example.azurecr.io", login="client", password="secret", extra=extra))
    assert asked == [("https://example.azurecr.io", "example.azurecr.io")]
