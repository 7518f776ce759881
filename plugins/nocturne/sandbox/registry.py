"""The image registry: Debian's `docker-registry`, or the same program in a container where that cannot be installed."""

import json
from functools import cached_property
from pathlib import Path

import httpx

from nocturne.sandbox import debian
from nocturne.sandbox.loopback import loopback_client
from nocturne.sandbox.progress import Report
from nocturne.sandbox.server import Server


class Registry(Server):
    """Listens on this machine only, keeps its data below the home, and lets images be deleted."""

    name = "registry"

    def prepare(self, report: Report) -> None:
        """Write its configuration. Source: https://distribution.github.io/distribution/about/configuration/"""
        configuration = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._folder / "data")}, "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{self.settings.registry_port}"},
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML too.
        (self._folder / "config.yml").write_text(json.dumps(configuration, indent=2))

    def command(self) -> list[str]:
        """As Debian installs it, else `docker run`, which passes the signal to end on to the container."""
        configuration = self._folder / "config.yml"
        if debian.found("docker-registry"):
            return ["docker-registry", "serve", str(configuration)]
        mounts = ["--volume", f"{self._folder}:{self._folder}"]
        name = f"{self.settings.name}-registry"
        return ["docker", "run", "--rm", "--name", name, "--network", "host", *mounts, "registry:2", "serve", str(configuration)]

    def environment(self) -> dict[str, str]:
        """Without REGISTRY_* variables, which would override the configuration."""
        return {name: value for name, value in super().environment().items() if not name.startswith("REGISTRY_")}

    def healthy(self) -> bool:
        """Whether the API's root answers."""
        try:
            return self._client.get("/v2/").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def address(self) -> str:
        """The API's address."""
        return f"http://{self.settings.registry_host}"

    @cached_property
    def _client(self) -> httpx.Client:
        return loopback_client(f"http://127.0.0.1:{self.settings.registry_port}")

    @property
    def _folder(self) -> Path:
        return self.settings.home / "registry"
