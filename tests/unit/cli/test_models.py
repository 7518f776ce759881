"""The commands about models, as a shell sees them, on a store that is a folder."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nocturne.cli.main import run

CARD: dict[str, Any] = {
    "schema": 1,
    "name": "digits",
    "model": "model.onnx",
    "input": {"name": "image", "shape": [None, 64], "type": "float32"},
    "output": {"name": "probabilities"},
    "labels": ["[0]", "1"],
    "metrics": {"accuracy": 0.5},
}

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Gives exit code and output of `nocturne models ...`."""
    (tmp_path / "store").mkdir()
    ledger = {"conn_type": "generic", "extra": {"url": f"sqlite:///{tmp_path / 'ledger.db'}"}}
    monkeypatch.setenv("NOCTURNE_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_LEDGER", json.dumps(ledger))
    store = {"conn_type": "fs", "extra": {"path": str(tmp_path / "store")}}
    monkeypatch.setenv("AIRFLOW_CONN_NOCTURNE_MODELS", json.dumps(store))

    def models(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nocturne", "models", *words])
        with pytest.raises(SystemExit) as ended:
            run()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return models


def folder(place: Path, **changes: Any) -> str:
    place.mkdir()
    (place / "model.json").write_text(json.dumps(CARD | changes))
    (place / "model.onnx").write_bytes(b"\x08onnx" + os.urandom(20))
    return str(place)


def test_a_model_is_published_and_shown(call: Call, tmp_path: Path) -> None:
    """What was published is told in a sentence, and shown with its card, files and whether it is signed."""
    code, out, _ = call("publish", folder(tmp_path / "one"), "--version", "v1")
    assert (code, out.startswith("published digits v1: sha256:")) == (0, True)
    code, out, _ = call("show", "v1")
    assert code == 0
    for text in ("digits v1", "[0], 1", "shape: [null, 64]", "accuracy: 0.5", "model.onnx  25 bytes  sha256:"):
        assert text in out
    found = json.loads(call("show", "--json")[1])
    assert (found["version"], found["signed"], found["damage"]) == ("v1", False, "")
    assert found["card"] == CARD


def test_a_version_is_not_published_twice(call: Call, tmp_path: Path) -> None:
    """A version that exists is exit code 6, a folder that is no model 3, one that does not exist is named."""
    one = folder(tmp_path / "one")
    assert json.loads(call("publish", one, "--version", "v1", "--json")[1])["signed"] is False
    code, _, err = call("publish", folder(tmp_path / "two"), "--version", "v1")
    assert (code, err.startswith("conflict: the version v1 of digits exists already")) == (6, True)
    assert call("publish", str(tmp_path))[0] == 3
    assert call("show", "v9")[0] == 5


def test_a_damaged_version_is_shown_as_such(call: Call, tmp_path: Path) -> None:
    """A version that lost a file is shown with what is wrong with it, whether it is named or the latest."""
    call("publish", folder(tmp_path / "one"), "--version", "v1")
    (tmp_path / "store" / "digits" / "v1" / "model.onnx").unlink()
    for words in (["v1"], []):
        code, out, err = call("show", *words)
        assert (code, err) == (0, "")
        assert "digits v1" in out
        assert "model.onnx: found no such blob" in out
    assert json.loads(call("show", "--json")[1])["signed"] is None


def test_a_latest_that_was_changed_is_shown_as_damaged(call: Call, tmp_path: Path) -> None:
    """Where the pointer says another digest than the manifest has, the latest is shown with both."""
    call("publish", folder(tmp_path / "one"), "--version", "v1")
    pointer = tmp_path / "store" / "digits" / "latest"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"digest": "sha256:" + "0" * 64}))
    code, out, _ = call("show")
    assert (code, f"says v1 has digest sha256:{'0' * 64}" in out) == (0, True)


@pytest.mark.parametrize("path", ["latest", "v1/manifest.json"])
def test_what_cannot_be_read_is_not_shown(call: Call, tmp_path: Path, path: str) -> None:
    """A pointer or a manifest that is rubbish is exit code 3, and named."""
    call("publish", folder(tmp_path / "one"), "--version", "v1")
    (tmp_path / "store" / "digits" / path).write_text("{")
    code, out, err = call("show")
    assert (code, out) == (3, "")
    assert err.startswith("rejected: ")
    assert f"digits/{path}" in err


def test_without_a_latest_nothing_is_shown(call: Call, tmp_path: Path) -> None:
    """An empty store is exit code 5, and so is a pointer to nothing, with the versions that there are."""
    assert call("show")[0] == 5
    call("publish", folder(tmp_path / "one"), "--version", "v1")
    (tmp_path / "store" / "digits" / "latest").write_text("v9")
    code, _, err = call("show")
    assert (code, "(digits/latest names it); there are: v1" in err) == (5, True)


def test_two_versions_are_compared(call: Call, tmp_path: Path) -> None:
    """Files, labels and metrics that differ are told, with the difference of numbers."""
    call("publish", folder(tmp_path / "one"), "--version", "v1")
    call("publish", folder(tmp_path / "two", metrics={"accuracy": 0.75}, labels=["1"]), "--version", "v2")
    code, out, _ = call("diff", "v1", "v2")
    assert code == 0
    for text in ("model.onnx", "0.75 (+0.25)", "[0]"):
        assert text in out
    found = json.loads(call("diff", "v1", "v2", "--json")[1])
    assert found["same_model"] is False
    assert {"what": "metrics", "name": "accuracy", "before": 0.5, "after": 0.75, "delta": 0.25} in found["changes"]
    assert "Nothing is different." in call("diff", "v1", "v1")[1]


def test_the_latest_is_moved(call: Call, tmp_path: Path) -> None:
    """Moving the pointer tells where it was; a version that does not exist is exit code 5."""
    for version in ("v1", "v2"):
        call("publish", folder(tmp_path / version), "--version", version)
    assert call("latest", "v1")[:2] == (0, "v1 is the latest now; it was v2\n")
    assert call("latest", "v1")[:2] == (0, "v1 was the latest already\n")
    assert json.loads(call("latest", "v2", "--json")[1]) == {"latest": "v2", "before": "v1"}
    assert call("latest", "v9")[0] == 5


def test_a_signing_key_that_is_not_there_is_named_first(call: Call, tmp_path: Path) -> None:
    """A key that does not exist is exit code 2, and nothing is published."""
    code, _, err = call("publish", folder(tmp_path / "one"), "--sign", str(tmp_path / "key.pem"))
    assert (code, err.startswith("wrong configuration: --sign has 1 fault:\n  - found no file")) == (2, True)
    assert list((tmp_path / "store").iterdir()) == []


def test_a_signed_model_is_shown_as_signed(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a password, which comes from a variable, signs what is published."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    (tmp_path / "key.pem").write_bytes(content)
    monkeypatch.setenv("NOCTURNE_SIGNING_PASSWORD", "open")
    code, out, err = call("publish", folder(tmp_path / "one"), "--version", "v1", "--sign", str(tmp_path / "key.pem"))
    assert (code, out.strip().endswith(", signed")) == (0, True), err
    assert json.loads(call("show", "v1", "--json")[1])["signed"] is True
