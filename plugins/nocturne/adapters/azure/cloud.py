"""Which Azure: the public one, a sovereign one, or any other whose addresses the connection names."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEFAULT = "AzurePublicCloud"


@dataclass(frozen=True)
class Cloud:
    """authority: where tokens come from. arm_url: Azure Resource Manager, without a slash at its end.

    well_known: whether Microsoft runs it, so that it can be looked up; a private authority cannot.
    """

    authority: str
    arm_url: str
    well_known: bool = True


# The names and addresses of the provider's form, `cloud_environment` in airflow.providers.microsoft.azure.hooks.base_azure.
CLOUDS = {
    DEFAULT: Cloud("https://login.microsoftonline.com", "https://management.azure.com"),
    "AzureUSGovernment": Cloud("https://login.microsoftonline.us", "https://management.usgovcloudapi.net"),
    "AzureChinaCloud": Cloud("https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
}


def cloud_faults(extra: dict[str, Any]) -> list[str]:
    """What is wrong with the part of a connection that says which Azure it is."""
    faults = []
    name = extra.get("cloud_environment") or DEFAULT
    if name not in CLOUDS:
        faults.append(f"extra.cloud_environment: found {name!r}, expected {', '.join(CLOUDS)}")
    for key in ("authority", "arm_url"):
        parts = urlsplit(value) if isinstance(value := extra.get(key) or "https://default", str) else urlsplit("")
        if parts.scheme != "https" or not parts.netloc:
            faults.append(f"extra.{key}: found {extra[key]!r}, expected an https URL, for secrets go there")
    return faults


def cloud_of(extra: dict[str, Any]) -> Cloud:
    """The cloud that a connection without `cloud_faults` says; `authority` and `arm_url` go before `cloud_environment`."""
    named = CLOUDS[extra.get("cloud_environment") or DEFAULT]
    authority, arm_url = extra.get("authority"), extra.get("arm_url")
    known = not authority or authority.rstrip("/") in {cloud.authority for cloud in CLOUDS.values()}
    return Cloud((authority or named.authority).rstrip("/"), (arm_url or named.arm_url).rstrip("/"), known)
