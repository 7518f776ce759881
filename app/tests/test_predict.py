"""`POST /v1/predict`: image files in, ranked labels out."""

import base64
import gzip
import io
import math
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import encode
from flask.testing import FlaskClient
from onnx import numpy_helper
from PIL import Image
from test_model import network, write

from app.drain import DrainFlag
from app.golden_set import Sample
from app.limits import Limits
from app.metrics import Metrics
from app.model import load_model
from app.predictor import Predictor
from app.settings import Settings
from app.web import create_app


def files(samples: list[Sample]) -> list[bytes]:
    return [base64.b64decode(sample.image) for sample in samples]


def labels(answer: Any) -> list[str]:
    return [prediction["labels"][0]["label"] for prediction in answer.get_json()["predictions"]]


@pytest.mark.parametrize("kind", ["image/png", "image/x-whatever", "application/octet-stream", None, "IMAGE/PNG; a=b"])
def test_the_bytes_of_an_image_are_enough(client: FlaskClient, golden: list[Sample], kind: str | None) -> None:
    """One raw image brings the three best labels, most likely first, as shares of 1."""
    answer = client.post("/v1/predict", data=files(golden[:1])[0], content_type=kind)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    told = answer.get_json()
    assert told["model"] == {"name": "digits", "version": None}
    assert told["milliseconds"] > 0
    ((best, second, third),) = (prediction["labels"] for prediction in told["predictions"])
    assert best["label"] == golden[0].label
    assert 1 >= best["probability"] >= second["probability"] >= third["probability"] >= 0


def test_several_files_are_answered_in_their_order(client: FlaskClient, golden: list[Sample]) -> None:
    """A form brings one prediction for each file, whatever the fields are called."""
    some = golden[:20]
    form = {"images": [(io.BytesIO(content), "digit.png") for content in files(some)]}
    answer = client.post("/v1/predict", data=form)
    assert answer.status_code == 200
    right = sum(found == sample.label for found, sample in zip(labels(answer), some, strict=True))
    assert right >= 18


def test_fields_that_take_turns_keep_the_order_of_their_files(client: FlaskClient, golden: list[Sample]) -> None:
    """The order is the form's, not that of the fields' names."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in zip("abacb", files(golden[:5]), strict=True)
    ]
    body = b"".join(parts) + b"--x--\r\n"
    answer = client.post("/v1/predict", data=body, content_type="multipart/form-data; boundary=x")
    alone = [client.post("/v1/predict", data=content, content_type="image/png") for content in files(golden[:5])]
    assert labels(answer) == [labels(one)[0] for one in alone]
    assert len(set(labels(answer))) == 5, "images that look alike would tell nothing"


@pytest.mark.parametrize("top", [1, 2, 10])
def test_as_many_labels_are_told_as_asked_for(client: FlaskClient, golden: list[Sample], top: int) -> None:
    """`top` says how many."""
    answer = client.post(f"/v1/predict?top={top}", data=files(golden[:1])[0])
    found = answer.get_json()["predictions"][0]["labels"]
    assert len(found) == top
    if top == 10:
        assert sum(label["probability"] for label in found) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("top", ["0", "11", "-1", "two", "", "1e1", "9" * 30, "%00"])
def test_another_number_of_labels_is_refused(client: FlaskClient, top: str) -> None:
    """What cannot be had is told with what can."""
    answer = client.post(f"/v1/predict?top={top}", data=b"")
    assert answer.status_code == 400
    assert "expected a whole number from 1 to 10" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"", "image/png", 400, "found 0 images; expected 1 to 64"),
        (b"no image", "image/png", 400, "image 1 is 8 bytes that are no image of a known kind"),
        (
            b"a=b",
            "application/x-www-form-urlencoded",
            415,
            "expected the bytes of an image as image/*, or files as multipart",
        ),
        (b"{}", "application/json", 415, "found Content-Type: application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400, "found a body that is no multipart/form-data"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400, "found 0 images; expected 1 to 64"),
        (b"something", "multipart/form-data", 400, "multipart/form-data"),
    ],
)
def test_what_is_no_image_is_refused(client: FlaskClient, body: bytes, kind: str, status: int, said: str) -> None:
    """The problem says what was found and what was expected."""
    answer = client.post("/v1/predict", data=body, content_type=kind)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert said in answer.get_json()["detail"]


def test_a_model_that_fails_on_an_image_gives_no_answer(
    settings: Settings, leaving: DrainFlag, card_json: dict[str, Any], tmp_path: Path
) -> None:
    """Numbers that are not finite are no probabilities: the request fails, and no metric is spoilt."""
    model = onnx.load_from_string(network())
    # What is not black becomes infinite.
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((64, 10), 1e38, np.float32), "weights"))
    write(tmp_path, model.SerializeToString(), card_json)
    client = create_app(replace(settings, model_dir=tmp_path), leaving, Metrics()).test_client()
    contents = [encode(Image.new("L", (8, 8), shade)) for shade in (0, 255)]
    predicted = [client.post("/v1/predict", data=base64.b64decode(content)) for content in contents]
    assert [answer.status_code for answer in predicted] == [200, 500]
    assert [client.post("/score", json={"input": [content]}).status_code for content in contents] == [200, 500]
    assert "NaN" not in client.get("/metrics").text


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_one_number_that_is_not_finite_is_enough(model_dir: Path, monkeypatch: pytest.MonkeyPatch, odd: float) -> None:
    """Whichever it is, and however many are as they should be."""
    model = load_model(model_dir)
    monkeypatch.setattr(model, "probabilities", lambda images: np.array([[0.1] * 10, [0.1] * 9 + [odd]]))
    with pytest.raises(ArithmeticError):
        Predictor(model, Limits()).rank([Image.new("L", (8, 8))] * 2, 1)


def test_labels_that_are_equally_likely_keep_their_order(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same image gets the same answer, whatever sorts the numbers."""
    model = load_model(model_dir)
    monkeypatch.setattr(model, "probabilities", lambda images: np.array([[0.0, 0.2, 0.3, 0.2, 0.3, -0.0, 0, 0, 0, 0]]))
    (row,) = Predictor(model, Limits()).rank([Image.new("L", (8, 8))], 6)
    assert [best.label for best in row] == ["2", "4", "1", "3", "0", "5"]


def test_too_many_files_are_refused(client: FlaskClient, golden: list[Sample], settings: Settings) -> None:
    """One more than the limit is too many, and so are a hundred more."""
    (content,) = files(golden[:1])
    for number in (settings.limits.images + 1, settings.limits.images + 100):
        form = {"images": [(io.BytesIO(content), "digit.png") for _ in range(number)]}
        answer = client.post("/v1/predict", data=form)
        assert answer.status_code == 413
        assert "64" in answer.get_json()["detail"]


def test_a_field_that_is_no_file_is_no_image(client: FlaskClient, golden: list[Sample]) -> None:
    """Texts in the form are passed over."""
    form = {"note": "a digit", "image": (io.BytesIO(files(golden[:1])[0]), "digit.png")}
    assert len(labels(client.post("/v1/predict", data=form))) == 1


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_what_is_sent_may_be_compressed(client: FlaskClient, golden: list[Sample], encoding: str, pack: Any) -> None:
    """The image is what counts, however it travelled."""
    answer = client.post("/v1/predict", data=pack(files(golden[:1])[0]), headers={"Content-Encoding": encoding})
    assert labels(answer) == [golden[0].label]


def test_another_compression_is_refused(client: FlaskClient) -> None:
    """The problem names those that are understood."""
    answer = client.post("/v1/predict", data=b"x", headers={"Content-Encoding": "br"})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, deflate")
