"""The Open Inference Protocol: what it tells of the model, and what `infer` answers."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from inference_requests import HEADER_LENGTH, MODEL, error, images, infer, infer_in_bytes, outputs, own, packed

from app.card import Card
from app.drain import DrainFlag
from app.exchange import Call
from app.golden_set import Sample
from app.inference import inference_routes
from app.limits import Limits
from app.model import Model, load_model
from app.predictor import Predictor
from app.settings import Settings
from app.web import create_app


@pytest.fixture(scope="module")
def model(model_dir: Path) -> Model:
    return load_model(model_dir)


def test_the_demo_is_what_these_tests_think(card: Card) -> None:
    """The names that these tests use are the card's."""
    assert (card.name, card.input.name, card.output.name) == ("digits", "pixels", "probabilities")


def test_the_server_tells_of_itself(client: FlaskClient) -> None:
    """`/v2` names the extensions, with and without a slash at the end."""
    for path in ("/v2", "/v2/"):
        told = client.get(path).get_json()
        assert told["version"] == "none" and "binary_tensor_data" in told["extensions"]


def test_the_model_tells_what_it_takes_and_answers(client: FlaskClient) -> None:
    """The metadata is the card's, and the same under the model's version."""
    told = client.get(MODEL).get_json()
    assert told == client.get(f"{MODEL}/versions/1").get_json()
    assert told["versions"] == ["1"] and told["platform"] == "onnxruntime_onnx"
    assert told["inputs"][0] == {"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}
    assert [tensor["name"] for tensor in told["inputs"]] == ["pixels", "image"]
    assert [tensor["name"] for tensor in told["outputs"]] == ["probabilities", "labels"]


def test_readiness_ends_with_the_drain_and_life_does_not(client: FlaskClient, leaving: DrainFlag) -> None:
    """Clients are sent elsewhere before the door is closed."""
    probes = ["/v2/health/ready", f"{MODEL}/ready", f"{MODEL}/versions/1/ready", "/v2/health/live"]
    assert [client.get(path).status_code for path in probes] == [200] * 4
    leaving.raise_()
    assert [client.get(path).status_code for path in probes] == [503, 503, 503, 200]


@pytest.mark.parametrize("path", ["/v2/models/letters", "/v2/models/a/b", f"{MODEL}/versions/2"])
def test_other_models_and_versions_are_not_found(client: FlaskClient, path: str) -> None:
    """An unknown model or version is 404 everywhere, and the answer names the one that there is."""
    for address in (path, f"{path}/ready", f"{path}/config"):
        assert "expected 'digits'" in (told := error(client.get(address), 404)) or "expected '1'" in told
    assert "found no" in error(infer(client, own(), path=path), 404)


def test_without_a_model_everything_but_life_is_unavailable(settings: Settings, leaving: DrainFlag) -> None:
    """The reason is told instead of an answer."""
    empty = replace(settings, model_dir=settings.model_dir / "nothing")
    client = create_app(empty, leaving).test_client()
    for path in ("/v2/health/ready", MODEL, f"{MODEL}/ready", f"{MODEL}/config"):
        assert "no model can be served" in error(client.get(path), 503)
    assert "no model can be served" in error(infer(client, own()), 503)
    assert client.get("/v2/health/live").status_code == 200
    assert client.post("/v2/repository/index").get_json() == []


def test_the_versions_name_is_the_releases(settings: Settings, leaving: DrainFlag) -> None:
    """In a release the model's version is the release's, in addresses and answers."""
    settings.release_file.write_text(json.dumps({"release": "r-1", "model_version": "2026-11-20"}))
    client = create_app(settings, leaving).test_client()
    assert client.get(MODEL).get_json()["versions"] == ["2026-11-20"]
    assert client.get("/v2").get_json()["version"] == "r-1"
    answer = infer(client, own(), path=f"{MODEL}/versions/2026-11-20")
    assert answer.status_code == 200 and answer.get_json()["model_version"] == "2026-11-20"
    assert "expected '2026-11-20'" in error(infer(client, own(), path=f"{MODEL}/versions/1"), 404)


def test_a_tensor_is_answered_as_the_model_does(client: FlaskClient, model: Model) -> None:
    """Flat and nested numbers mean the same, whole ones too, and the answer is the model's own."""
    tensor = np.arange(128, dtype=np.float32).reshape(2, 64) % 2
    expected = model.run(tensor)
    for data in (tensor.reshape(-1).tolist(), tensor.tolist(), tensor.astype(int).tolist()):
        answer = infer(client, own(data, (2, 64)), id="7")
        told = outputs(answer)["probabilities"]
        assert (told["shape"], told["datatype"]) == ([2, 10], "FP32")
        np.testing.assert_allclose(np.array(told["data"]).reshape(2, 10), expected, rtol=1e-6)
        assert answer.get_json() | {"outputs": None} == {
            "model_name": "digits",
            "model_version": "1",
            "id": "7",
            "outputs": None,
        }


def test_images_are_prepared_like_those_of_predict(client: FlaskClient, golden: list[Sample]) -> None:
    """Image files, in base64 or as they are, bring the labels that `/v1/predict` brings."""
    chosen = golden[:5]
    files = [base64.b64decode(sample.image) for sample in chosen]
    asked = [{"name": "labels", "parameters": {"classification": 1}}, {"name": "probabilities"}]
    texts = [sample.image for sample in chosen]
    in_base64 = outputs(infer(client, images(*texts), outputs=asked))
    as_they_are = outputs(infer_in_bytes(client, packed(*files), images(*texts) | {"data": None}, outputs=asked))
    assert in_base64 == as_they_are
    assert in_base64["labels"] == {
        "name": "labels",
        "shape": [5, 1],
        "datatype": "BYTES",
        "data": [sample.label for sample in chosen],
    }
    for row, file in zip(np.array(in_base64["probabilities"]["data"]).reshape(5, 10), files, strict=True):
        predicted = client.post("/v1/predict?top=1", data=file, content_type="image/png").get_json()
        assert row.max() == pytest.approx(predicted["predictions"][0]["labels"][0]["probability"], abs=1e-6)


@pytest.mark.parametrize("parameters", [{}, {"content_type": "base64"}])
def test_mlservers_shape_of_images_is_understood(
    client: FlaskClient, golden: list[Sample], parameters: dict[str, str]
) -> None:
    """A batch of texts may have a second size of 1, flat or nested."""
    text = golden[0].image
    flat = infer(client, images(text, shape=[1, 1], parameters=parameters))
    nested = infer(client, images(text, shape=[1, 1], parameters=parameters) | {"data": [[text]]})
    assert outputs(flat) == outputs(nested) == outputs(infer(client, images(text)))


def test_base64_may_also_come_in_bytes(client: FlaskClient, golden: list[Sample]) -> None:
    """A binary tensor of content type base64 is decoded, as MLServer does."""
    content = packed(golden[0].image.encode())
    told = {"name": "image", "shape": [1], "datatype": "BYTES"}
    parameters = {"binary_data_size": len(content), "content_type": "base64"}
    answer = infer_in_bytes(client, content, told | {"parameters": parameters})
    assert outputs(answer) == outputs(infer(client, images(golden[0].image)))


def test_outputs_are_sent_as_bytes_where_asked(client: FlaskClient, card: Card) -> None:
    """The header tells where the bytes begin; they follow in the order of the outputs."""
    asked = [
        {"name": "labels", "parameters": {"binary_data": True}},
        {"name": "probabilities", "parameters": {"binary_data": True, "classification": 2}},
    ]
    answer = infer(client, own(), outputs=asked)
    assert answer.status_code == 200 and answer.content_type == "application/octet-stream"
    length = int(answer.headers[HEADER_LENGTH])
    labels, classes = json.loads(answer.data[:length])["outputs"]
    assert (labels["shape"], classes["shape"]) == ([1, 10], [1, 2])
    sizes = [told["parameters"]["binary_data_size"] for told in (labels, classes)]
    assert length + sum(sizes) == len(answer.data) and sizes[0] == 10 * 5
    elements = answer.data[length : length + sizes[0]]
    assert sorted(elements[place + 4 : place + 5].decode() for place in range(0, 50, 5)) == list(card.labels)


def test_one_parameter_makes_all_outputs_bytes(client: FlaskClient) -> None:
    """`binary_data_output` holds where an output does not say otherwise."""
    everything = {"binary_data_output": True}
    plain = outputs(infer(client, own()))["probabilities"]["data"]
    answer = infer(client, own(), parameters=everything)
    numbers = np.frombuffer(answer.data[int(answer.headers[HEADER_LENGTH]) :], "<f4")
    np.testing.assert_allclose(numbers, plain, rtol=1e-6)
    other = [{"name": "probabilities", "parameters": {"binary_data": False}}]
    assert outputs(infer(client, own(), parameters=everything, outputs=other))["probabilities"]["data"] == plain


def test_classes_are_written_as_triton_does(client: FlaskClient) -> None:
    """The extension `classification` brings value, index and label, best first."""
    asked = [{"name": "probabilities", "parameters": {"classification": 3}}]
    told = outputs(infer(client, own(), outputs=asked))["probabilities"]
    probabilities = np.array(outputs(infer(client, own()))["probabilities"]["data"])
    best = np.argsort(-probabilities)[:3]
    assert told["datatype"] == "BYTES" and told["shape"] == [1, 3]
    assert told["data"] == [f"{probabilities[index]:f}:{index}:{index}" for index in best]


def test_the_best_label_of_each_row_is_observed(settings: Settings, model: Model, golden: list[Sample]) -> None:
    """What is counted of `/v1/predict` is counted here too."""
    seen: list[tuple[str, float]] = []
    predictor = Predictor(model, Limits(), lambda label, probability: seen.append((label, probability)))
    route, _ = inference_routes(predictor, None)
    body = json.dumps({"inputs": [images(golden[0].image, golden[1].image)]}).encode()
    route.handler(Call({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json"}, body))
    assert [label for label, _ in seen] == [golden[0].label, golden[1].label]
    assert all(0.1 < probability <= 1 for _, probability in seen)
