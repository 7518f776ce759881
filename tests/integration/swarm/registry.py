"""A registry of these tests' own, and the releases in it."""

import io
import subprocess
import tarfile
import time
from pathlib import Path

import docker
import httpx

_TEST_APP = Path(__file__).with_name("test_app")
_CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/blobs}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_DOCKERFILE = """\
FROM {base}
COPY server.py check.py /srv/
ENV MODE={mode} RELEASE={release}
USER 10001:10001
CMD ["python3", "/srv/server.py"]
"""


def start_registry(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start Debian's docker-registry and wait until it answers."""
    configuration = folder / "registry.yml"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port))
    process = subprocess.Popen(["docker-registry", "serve", str(configuration)], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            httpx.get(f"http://127.0.0.1:{port}/v2/").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return process
    process.kill()
    raise RuntimeError("docker-registry did not start")


def push_release(client: docker.DockerClient, base: str, registry: str, release: str, mode: str) -> str:
    """Build and push the test app; return its reference by digest."""
    tag = f"{registry}/test-app:{release}"
    client.images.build(fileobj=_context(base, release, mode), custom_context=True, tag=tag, rm=True)
    for event in client.images.push(tag, stream=True, decode=True):
        if "error" in event:
            raise RuntimeError(event["error"])
        if "Digest" in event.get("aux", {}):
            digest = event["aux"]["Digest"]
    client.images.remove(tag)
    return f"{registry}/test-app@{digest}"


def _context(base: str, release: str, mode: str) -> io.BytesIO:
    dockerfile = _DOCKERFILE.format(base=base, mode=mode, release=release).encode()
    files = {path.name: path.read_bytes() for path in _TEST_APP.glob("*.py")} | {"Dockerfile": dockerfile}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    buffer.seek(0)
    return buffer
