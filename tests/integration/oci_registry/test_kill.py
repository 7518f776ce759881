"""What a killed upload leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from nocturne.adapters.oci_registry import OciRegistry
from nocturne.adapters.oci_registry.layer import Layer
from nocturne.ports.image_registry import AppendRequest, LayerFile
from tests.integration.oci_registry.local_registry import LocalRegistry, local_registry
from tests.ports import free_port

pytestmark = pytest.mark.docker
RequestFor = Callable[..., AppendRequest]

# Appends like a task does, but stops in the middle of the upload's body until it is killed.
CHILD = """
import sys
import time
from pathlib import Path

from nocturne.adapters.oci_registry import OciRegistry, layer
from nocturne.ports.image_registry import AppendRequest, LayerFile

url, base, repository, model = sys.argv[1:]
chunks = layer.Layer.chunks

def half(self):
    for number, chunk in enumerate(chunks(self)):
        if number == 20:
            print("in the middle", flush=True)
            time.sleep(60)
        yield chunk

layer.Layer.chunks = half
files = (LayerFile("/model/model.onnx", Path(model)),)
OciRegistry(url, "ignored").append(AppendRequest(base, repository, (files,), {}, {}, ("v1",), "2026-11-20T02:00:00Z"))
"""


def test_a_retry_after_a_kill_in_mid_upload_gives_the_same_image(
    server: LocalRegistry, registry: OciRegistry, request_for: RequestFor, tmp_path: Path
):
    """Half an upload is no blob, no tag and no obstacle: the retry ends in the digest that an undisturbed run has."""
    model = tmp_path / "model.onnx"
    model.write_bytes(os.urandom(20 << 20))
    request = request_for(layers=((LayerFile("/model/model.onnx", model),),), labels={}, annotations={})
    arguments = [server.url, request.base, request.repository, str(model)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "plugins")}
    with subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in the middle\n"
        assert list(server.data.rglob(f"{request.repository}/_uploads/*/data")), "the upload has not begun"
        child.send_signal(signal.SIGKILL)
    assert registry.digest(f"{request.repository}:v1") is None

    retried = registry.append(request)
    undisturbed = registry.append(replace(request, repository=f"{request.repository}-2"))
    assert retried.moved_bytes > model.stat().st_size
    assert retried.image.partition("@")[2] == undisturbed.image.partition("@")[2]


def test_a_registry_that_is_restarted_in_mid_upload_gets_the_whole_blob(
    server: LocalRegistry, request_for: RequestFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The adapter waits for a registry that dies under an upload, and begins that upload anew."""
    model = tmp_path / "model.onnx"
    model.write_bytes(os.urandom(20 << 20))
    request = request_for(layers=((LayerFile("/model/model.onnx", model),),))
    (tmp_path / "data").symlink_to(server.data)
    port, chunks, restarts = free_port(), Layer.chunks, []

    with ExitStack() as running:
        first = running.enter_context(local_registry(tmp_path, port=port))

        def deadly(layer: Layer) -> Iterator[bytes]:
            for number, chunk in enumerate(chunks(layer)):
                if number == 20 and not restarts:
                    first.process.kill()
                yield chunk

        def restart(seconds: float) -> None:
            restarts.append(running.enter_context(local_registry(tmp_path, port=port)))

        monkeypatch.setattr(Layer, "chunks", deadly)
        appended = OciRegistry(first.url, first.host, pause=restart).append(request)
    assert len(restarts) == 1
    assert f"{request.repository}@{OciRegistry(server.url, server.host).digest(f'{request.repository}:v1')}" == appended.image


def test_a_blob_that_a_killed_registry_noted_by_half_is_uploaded_again(
    server: LocalRegistry, registry: OciRegistry, request_for: RequestFor
):
    """Where the note of a blob was left empty, the registry fails to answer for it; the next append mends that."""
    request = request_for()
    before = registry.append(request)
    image = next(server.data.rglob(f"repositories/{request.repository}"))
    shutil.rmtree(image / "_manifests")
    notes = list(image.glob("_layers/sha256/*/link"))
    for note in notes:
        note.write_bytes(b"")
    assert registry.append(request).image == before.image
    assert len(notes) > 2
    assert all(note.read_bytes() for note in notes)
