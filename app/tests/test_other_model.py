"""Any image classifier is only another folder: two that have nothing in common with the demo."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import encode
from onnx import helper, numpy_helper
from other_model import SYNSETS, convolutions_by_hand, write_convolutions, write_shades
from PIL import Image

from app.drain import DrainFlag
from app.evaluate import judge
from app.golden_set import Sample
from app.images import ImageError, open_base64
from app.model import ModelError, load_model
from app.settings import read_settings
from app.web import create_app


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return soft coloured noise, as large as is wanted."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(300, 300), (640, 301), (211, 500), (256, 224)])
def test_a_convolution_net_answers_as_computed_by_hand(tmp_path: Path, size: tuple[int, int]) -> None:
    """Colour order, crop, mean, deviation, layout, logits and labels are all as the card says."""
    model = load_model(write_convolutions(tmp_path))
    assert model.card.labels == SYNSETS and model.batches
    image = photo(*size)
    answer = model.probabilities([open_base64(encode(image))])
    assert answer[0] == pytest.approx(convolutions_by_hand(image), abs=1e-3)
    assert answer.max() < 0.999, "an answer this sure would hide mistakes"


def test_several_images_are_answered_at_once_and_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they go into the model together, by parts or alone makes no difference."""
    images = [photo(260 + place, 240, place) for place in range(5)]
    folder = write_convolutions(tmp_path)
    together = load_model(folder).probabilities(images)
    monkeypatch.setattr("app.model.AT_ONCE", 2 * 3 * 224 * 224)
    model = load_model(folder)
    assert together.shape == (5, 3)
    assert together == pytest.approx(model.probabilities(images))
    assert together == pytest.approx(np.concatenate([model.probabilities([image]) for image in images]))


def test_a_net_that_takes_bytes_gets_pixels_as_they_are(tmp_path: Path) -> None:
    """uint8, rows of RGB pixels, one image at a time."""
    model = load_model(write_shades(tmp_path))
    images = [Image.new("RGB", (31, 17), colour) for colour in ((255, 0, 0), (0, 51, 204))]
    assert not model.batches and model.input_dtype == np.uint8
    assert model.probabilities(images) == pytest.approx(np.array([[1, 0, 0], [0, 0.2, 0.8]]), abs=1e-4)


@pytest.mark.parametrize("write", [write_convolutions, write_shades])
def test_the_app_serves_it(tmp_path: Path, write: Any) -> None:
    """The routes need no word about it."""
    environment = {"MODEL_DIR": str(write(tmp_path)), "RELEASE_FILE": str(tmp_path / "release.json")}
    client = create_app(read_settings(environment), DrainFlag()).test_client()
    model = load_model(tmp_path)
    images = [photo(300, 200, 1), photo(50, 80, 2)]
    best = [model.card.labels[row.argmax()] for row in model.probabilities(images)]
    answer = client.post("/score", json={"input": [encode(image) for image in images]}).get_json()
    assert [labels[0][0] for labels in answer["result"][0]] == best
    content = base64.b64decode(encode(images[0]))
    single = client.post("/v1/predict?top=1", data=content, content_type="image/png").get_json()
    assert single["predictions"][0]["labels"][0]["label"] == best[0]
    files = {"file": [(io.BytesIO(base64.b64decode(encode(image))), "a.png") for image in images]}
    several = client.post("/v1/predict", data=files).get_json()
    assert [row["labels"][0]["label"] for row in several["predictions"]] == best


def test_it_is_judged_on_a_golden_set_of_images_of_any_size(tmp_path: Path) -> None:
    """The verdict knows its labels."""
    by_hand = [int(convolutions_by_hand(photo(*size)).argmax()) for size in ((230, 400), (900, 600))]
    images = [encode(photo(*size)) for size in ((230, 400), (900, 600))]
    samples = [Sample(str(place), image, SYNSETS[by_hand[place]]) for place, image in enumerate(images)]
    verdict = judge(write_convolutions(tmp_path), samples)
    assert (verdict.faults, verdict.accuracy) == ([], 1.0)


def test_a_damaged_image_among_several_is_named_by_its_place(tmp_path: Path) -> None:
    """Who sent many images learns which one to send again."""
    model = load_model(write_shades(tmp_path))
    damaged = base64.b64encode(base64.b64decode(encode(photo(200, 200)))[:-3000]).decode()
    with pytest.raises(ImageError, match="damaged PNG") as caught:
        model.probabilities([photo(9, 9), open_base64(damaged), photo(9, 9)])
    assert caught.value.place == 2


def test_null_in_the_shape_is_a_promise(tmp_path: Path) -> None:
    """A model that fails on two images at once, against its card, does not serve."""
    folder = write_convolutions(tmp_path)
    model = onnx.load(folder / "resnet.onnx")
    model.graph.node[-1].output[0] = "last"
    model.graph.node.append(helper.make_node("Reshape", ["last", "one"], ["logits"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 3, 1, 1]), "one"))
    onnx.save(model, folder / "resnet.onnx")
    with pytest.raises(ModelError, match="two black images at once"):
        load_model(folder)
    card = json.loads((folder / "model.json").read_text())
    card["input"]["shape"][0] = 1
    (folder / "model.json").write_text(json.dumps(card))
    assert load_model(folder).probabilities([photo(300, 300), photo(300, 300)]).shape == (2, 3)
