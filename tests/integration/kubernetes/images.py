"""Images of the test app, made of Debian's packages and pushed over the registry's API, because no container engine is needed.

Source of the formats: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
"""

import fcntl
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = "test-app"
_APP = Path(__file__).parent / "test_app"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
# The host's own choice of mirror, where it is a Debian.
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))


def python_layer(folder: Path) -> Path:
    """A layer with Debian's Python and nothing else (60 MB); made once a machine, in about five seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    layer = folder / "python-layer.tar"
    with (folder / "python-layer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not layer.exists():
            part = folder / "python-layer.part.tar"
            sources = [str(path) for path in _SOURCES if path.exists()]
            # `extract` unpacks the packages and runs nothing of them; /dev is the container's own.
            command = ["mmdebstrap", "--variant=extract", "--skip=output/dev,output/mknod", "--include=python3", "bookworm"]
            subprocess.run([*command, str(part), *sources], check=True, capture_output=True, text=True)
            part.rename(layer)
    return layer


class Images:
    """Pushes images of the test app to one registry. host: as pods pull, like `localhost:5000`."""

    def __init__(self, host: str, python: Path) -> None:
        self.host = host
        self._client = httpx.Client(base_url=f"http://{host}/v2/{REPOSITORY}/", timeout=60)
        self._layers = [self._push_blob(python.read_bytes()), self._push_blob(_app_layer())]

    def push(self, environment: dict[str, str]) -> str:
        """Push an image with these variables; returns its reference by digest."""
        settings = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/bin", "PYTHONDONTWRITEBYTECODE=1", *(f"{name}={text}" for name, text in environment.items())],
                "Cmd": ["python3", "/srv/server.py"],
                "User": "10001:10001",
            },
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in self._layers]},
        }
        configuration = {**self._push_blob(json.dumps(settings).encode()), "mediaType": _CONFIGURATION}
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": _MANIFEST, "config": configuration, "layers": self._layers}
        ).encode()
        digest = _digest(manifest)
        self._client.put(f"manifests/{digest}", content=manifest, headers={"Content-Type": _MANIFEST}).raise_for_status()
        return f"{self.host}/{REPOSITORY}@{digest}"

    def missing(self) -> str:
        """A reference by a digest that the registry does not have."""
        return f"{self.host}/{REPOSITORY}@sha256:{'0' * 64}"

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _push_blob(self, content: bytes) -> dict[str, Any]:
        digest = _digest(content)
        upload = self._client.post("blobs/uploads/").raise_for_status().headers["Location"]
        separator = "&" if "?" in upload else "?"
        self._client.put(f"{upload}{separator}digest={digest}", content=content).raise_for_status()
        return {"mediaType": _LAYER, "digest": digest, "size": len(content)}


def _app_layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        content = (_APP / "server.py").read_bytes()
        entry = tarfile.TarInfo("srv/server.py")
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
