"""Which store stands behind what `release.toml` says, on the client's own store in memory."""

from obstore.store import MemoryStore

from nocturne.adapters.object_store import ObjectModelStore
from nocturne.adapters.object_store.bare_store import BareModelStore
from nocturne.adapters.object_store.model_store import open_models
from nocturne.domain.configuration import Model
from nocturne.domain.release_toml import parse_configuration
from tests.fakes.world import RELEASE_TOML


def model(lines: str) -> Model:
    content = RELEASE_TOML.decode().replace('[model]\nname = "digits"\n', f'[model]\nname = "digits"\n{lines}\n')
    return parse_configuration(content.encode(), "release.toml").model


def test_versions_are_the_default() -> None:
    """Without a word about the layout, models are published versions."""
    assert isinstance(open_models(MemoryStore(), model("")), ObjectModelStore)


def test_the_bare_layout_is_chosen_by_name() -> None:
    """With layout = "bare", the files that are there now are the model, with the configured card."""
    store = MemoryStore()
    store.put("digits/weights.onnx", b"weights")
    store.put("digits/labels.txt", b"zero\none\n")
    tables = (
        'layout = "bare"\n[model.bare]\nmodel = "weights.onnx"\nlabels = "labels.txt"\ninput = {name = "i"}\noutput = {name = "o"}'
    )
    models = open_models(store, model(tables))
    assert isinstance(models, BareModelStore)
    assert models.manifest(models.freeze(None).version).card["input"] == {"name": "i"}


def test_the_rule_for_the_latest_is_the_configured_one() -> None:
    """latest = "pinned" takes the version that is named, wherever the pointer is."""
    store = MemoryStore()
    manifest = b'{"schema": 1, "name": "digits", "version": "%s", "created_at": "2026-11-22T02:00:00Z", "files": [%s]}'
    file = b'{"path": "m.onnx", "size": 1, "sha256": "sha256:' + b"0" * 64 + b'"}'
    for version in (b"v1", b"v2"):
        store.put(f"digits/{version.decode()}/m.onnx", b"m")
        store.put(f"digits/{version.decode()}/manifest.json", manifest % (version, file))
    store.put("digits/latest", b"v2")
    assert open_models(store, model('latest = "pinned"\nversion = "v1"')).freeze(None).version == "v1"
    assert open_models(store, model("")).freeze(None).version == "v2"
