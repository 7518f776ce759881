"""The blob storage: Azurite, Microsoft's emulator of Azure Storage."""

from functools import cached_property

import httpx

from nocturne.adapters.object_store import StoreSettings, ensure_container
from nocturne.sandbox import azurite
from nocturne.sandbox.connections import CONTAINER
from nocturne.sandbox.loopback import loopback_client
from nocturne.sandbox.progress import Report
from nocturne.sandbox.secret_file import load_or_make
from nocturne.sandbox.server import Server


class Blob(Server):
    """Listens on this machine only, with an account and a key of the sandbox' own."""

    name = "blob"

    def prepare(self, report: Report) -> None:
        """Install Azurite, once for each clone."""
        (self.settings.home / "blob").mkdir(parents=True, exist_ok=True)
        if not azurite.installed(self.settings.tools):
            report.working(self.name, f"installing Azurite {azurite.VERSION} with npm")
            azurite.install(self.settings.tools, self.programs)

    def command(self) -> list[str]:
        """Blob storage alone; clients may speak a newer version of the protocol than it knows."""
        return [
            "node",
            str(azurite.installed(self.settings.tools)),
            "--blobHost", "127.0.0.1",
            "--blobPort", str(self.settings.blob_port),
            "--location", str(self.settings.home / "blob"),
            "--silent",
            "--skipApiVersionCheck",
            "--disableTelemetry",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """With the account's key, which would be readable by every user in the arguments."""
        secrets = load_or_make(self.settings.home)
        return {**super().environment(), "AZURITE_ACCOUNTS": f"{secrets.blob_account}:{secrets.blob_key}"}

    def healthy(self) -> bool:
        """Whether it answers at all; without a signature, that is a refusal."""
        try:
            return self._client.get("?comp=list").status_code in (
                httpx.codes.BAD_REQUEST,
                httpx.codes.FORBIDDEN,
            )
        except httpx.HTTPError:
            return False

    def address(self) -> str:
        """The account's address."""
        return f"http://127.0.0.1:{self.settings.blob_port}/{load_or_make(self.settings.home).blob_account}"

    def settle(self) -> None:
        """Have a container for models."""
        secrets = load_or_make(self.settings.home)
        store = StoreSettings(
            kind="azure", container=CONTAINER, account=secrets.blob_account, account_key=secrets.blob_key, endpoint=self.address()
        )
        ensure_container(store)

    @cached_property
    def _client(self) -> httpx.Client:
        return loopback_client(self.address())
