"""The Open Inference Protocol with models that are nothing like the demo."""

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from flask.testing import FlaskClient
from other_model import SYNSETS, convolutions_by_hand, write_convolutions, write_shades
from PIL import Image

from app.drain import DrainFlag
from app.model import load_model
from app.settings import read_settings
from app.web import create_app


def serve(folder: Path) -> FlaskClient:
    return create_app(read_settings({"MODEL_DIR": str(folder), "RELEASE_FILE": "/nothing"}), DrainFlag()).test_client()


def infer(client: FlaskClient, name: str, content: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/v2/models/{name}/infer", json=content)
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.get_json()["outputs"]}


def test_logits_are_told_as_they_are_and_as_probabilities(tmp_path: Path) -> None:
    """The model's own output stays the model's; probabilities and labels are made of it."""
    client = serve(write_convolutions(tmp_path))
    image, file = Image.effect_noise((300, 300), 90).convert("RGB"), io.BytesIO()
    image.save(file, "PNG")
    header = {
        "inputs": [
            {
                "name": "image",
                "shape": [1],
                "datatype": "BYTES",
                "parameters": {"binary_data_size": len(file.getvalue()) + 4},
            }
        ],
        "outputs": [{"name": "logits"}, {"name": "probabilities"}, {"name": "labels"}],
    }
    told = json.dumps(header).encode()
    body = told + len(file.getvalue()).to_bytes(4, "little") + file.getvalue()
    length = {"Inference-Header-Content-Length": str(len(told))}
    answer = client.post("/v2/models/fishes-and-cats/infer", data=body, headers=length)
    assert answer.status_code == 200, answer.text
    outputs = {output["name"]: output for output in answer.get_json()["outputs"]}
    logits, probabilities = (np.array(outputs[name]["data"]) for name in ("logits", "probabilities"))
    assert outputs["logits"]["shape"] == [1, 3]
    assert probabilities == pytest.approx(convolutions_by_hand(image), abs=1e-3)
    assert probabilities == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-5)
    assert outputs["labels"]["data"] == [SYNSETS[index] for index in np.argsort(-logits)]


def test_numbers_that_overflow_a_model_are_answered_in_legal_json(tmp_path: Path) -> None:
    """What is no number is null, and classes are answered all the same."""
    client = serve(write_convolutions(tmp_path))
    tensor = {"name": "data", "shape": [1, 3, 224, 224], "datatype": "FP32", "data": [3e38] * (3 * 224 * 224)}
    asked = [{"name": "logits"}, {"name": "probabilities", "parameters": {"classification": 1}}]
    outputs = infer(client, "fishes-and-cats", {"inputs": [tensor], "outputs": asked})
    assert None in outputs["logits"]["data"]
    assert len(outputs["probabilities"]["data"]) == 1


def test_a_model_of_bytes_takes_bytes_one_image_at_a_time(tmp_path: Path) -> None:
    """UINT8 in JSON is checked; where `image` is the model's own input too, the datatype tells the two apart."""
    client = serve(write_shades(tmp_path))
    told = client.get("/v2/models/shades").get_json()["inputs"]
    assert [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in told] == [
        ("image", "UINT8", [1, 4, 6, 3]),
        ("image", "BYTES", [-1]),
    ]
    config = client.get("/v2/models/shades/config").get_json()
    assert config["max_batch_size"] == 0 and config["input"][0]["dims"] == [1, 4, 6, 3]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 6, 3), dtype=np.uint8)
    tensor = {"name": "image", "shape": [1, 4, 6, 3], "datatype": "UINT8", "data": pixels.tolist()}
    expected = load_model(tmp_path).run(pixels)[0]
    assert infer(client, "shades", {"inputs": [tensor]})["shares"]["data"] == pytest.approx(expected)
    for wrong in (256, -1, 0.5):
        answer = client.post(
            "/v2/models/shades/infer", json={"inputs": [tensor | {"data": [wrong, *pixels.reshape(-1).tolist()[1:]]}]}
        )
        assert answer.status_code == 400 and "from 0 to 255" in answer.get_json()["error"]
    two = client.post("/v2/models/shades/infer", json={"inputs": [tensor | {"shape": [2, 4, 6, 3]}]})
    assert two.status_code == 400 and "n from 1 to 1" in two.get_json()["error"]


def test_images_go_one_by_one_into_a_model_that_takes_no_batch(tmp_path: Path) -> None:
    """Several files in one request are answered in their order all the same."""
    client = serve(write_shades(tmp_path))
    files = []
    for colour in ("red", "lime", "blue"):
        file = io.BytesIO()
        Image.new("RGB", (31, 17), colour).save(file, "PNG")
        files.append(file.getvalue())
    content = b"".join(len(file).to_bytes(4, "little") + file for file in files)
    given = {"name": "image", "shape": [3], "datatype": "BYTES", "parameters": {"binary_data_size": len(content)}}
    asked = [{"name": "labels", "parameters": {"classification": 1}}]
    told = json.dumps({"inputs": [given], "outputs": asked}).encode()
    length = {"Inference-Header-Content-Length": str(len(told))}
    answer = client.post("/v2/models/shades/infer", data=told + content, headers=length).get_json()
    assert answer["outputs"][0]["data"] == ["red", "green", "blue"]


@pytest.mark.parametrize("name", ["two words", "team/shades", "Ziffern-für-Ärzte", "100%"])
def test_a_models_name_may_be_any_text(tmp_path: Path, name: str) -> None:
    """Whatever a card calls its model, its addresses are found."""
    write_shades(tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | {"name": name}))
    client = serve(tmp_path)
    path = quote(name)
    assert client.get(f"/v2/models/{path}").get_json()["name"] == name
    assert client.get(f"/v2/models/{path}/versions/1/ready").status_code == 200
    tensor = {"name": "image", "shape": [1, 4, 6, 3], "datatype": "UINT8", "data": [0] * 72}
    for address in (path, f"{path}/versions/1"):
        assert infer(client, address, {"inputs": [tensor]})["shares"]["shape"] == [1, 3]
