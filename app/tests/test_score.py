"""`POST /score`: the API that clients rely on."""

import base64
import io
import json
import re
import struct
import zlib
from dataclasses import replace

import pytest
from conftest import encode
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from app.drain import DrainFlag
from app.golden_set import Sample
from app.limits import Limits
from app.settings import Settings
from app.web import create_app


def send(client: FlaskClient, body: object) -> TestResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/score", data=content, content_type="application/json")


def test_the_old_form_of_the_api_works(client: FlaskClient, golden: list[Sample]) -> None:
    """A list inside a text brings three labels in percent for each image, then the time it took."""
    answer = send(client, {"input": json.dumps([sample.image for sample in golden[:5]])})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    scores, computed = answer.get_json()["result"]
    assert re.fullmatch(r"Computed in [\d.]+ ms", computed)
    assert [len(best) for best in scores] == [3] * 5
    assert [best[0][0] for best in scores] == [sample.label for sample in golden[:5]]
    for best in scores:
        percents = [percent for _, percent in best]
        assert percents == sorted(percents, reverse=True)
        assert all(0 <= percent <= 100 and round(percent, 2) == percent for percent in percents)


def test_a_plain_list_answers_like_the_old_form(client: FlaskClient, golden: list[Sample]) -> None:
    """Both forms of the input mean the same."""
    images = [golden[0].image, golden[1].image]
    plain, old = send(client, {"input": images}), send(client, {"input": json.dumps(images)})
    assert plain.get_json()["result"][0] == old.get_json()["result"][0]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_other_content_types_are_refused(client: FlaskClient, content_type: str | None) -> None:
    """Only JSON is read."""
    answer = client.post("/score", data="{}", content_type=content_type)
    assert answer.status_code == 415 and "application/json" in answer.get_json()["error"]


PHOTO = base64.b64encode(b"no image").decode()
CUT = base64.b64encode(base64.b64decode(encode(Image.effect_noise((64, 64), 90)))[:900]).decode()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"{", "not JSON"),
        ([], '"input"'),
        (None, '"input"'),
        ({"inputs": []}, '"input"'),
        ({"input": "["}, "not JSON"),
        ({"input": "{}"}, "not a list"),
        ({"input": 7}, "not a list"),
        ({"input": "\ud800"}, "not JSON"),
        ({"input": []}, "found 0 images"),
        ({"input": [7]}, "image 1"),
        ({"input": [encode(Image.new("L", (8, 8))), "!"]}, "image 2 is not base64"),
        ({"input": ["ä"]}, "not base64"),
        ({"input": [PHOTO]}, "no image"),
        ({"input": [""]}, "no image"),
        ({"input": [CUT]}, "damaged"),
    ],
)
def test_bad_input_is_told_what_is_wrong(client: FlaskClient, body: object, told: str) -> None:
    """What cannot be read is answered by 400 and a sentence."""
    answer = send(client, body)
    assert answer.status_code == 400
    assert told in answer.get_json()["error"] and "Traceback" not in answer.text


def bomb(side: int) -> str:
    """Return a tiny PNG whose header says that it is huge."""
    content = io.BytesIO()
    Image.new("L", (1, 1)).save(content, "PNG")
    raw = bytearray(content.getvalue())
    raw[16:24] = struct.pack(">II", side, side)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return base64.b64encode(raw).decode()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [4_001, 12_000, 60_000])
def test_a_decompression_bomb_is_refused(client: FlaskClient, side: int) -> None:
    """Pixels are limited before anything is decoded."""
    answer = send(client, {"input": [bomb(side)]})
    assert answer.status_code in (400, 413) and "pixels" in answer.get_json()["error"]


def test_what_is_too_much_is_refused(settings: Settings, leaving: DrainFlag, golden: list[Sample]) -> None:
    """Limits on bytes, images and pixels are answered by 413 and name the limit."""
    image = golden[0].image
    for limits, found in [
        (Limits(body_bytes=20), "at most 20 bytes"),
        (Limits(images=1), "found 2 images; expected 1 to 1"),
        (Limits(pixels=127), "found 128 pixels; expected at most 127"),
    ]:
        client = create_app(replace(settings, limits=limits), leaving).test_client()
        answer = send(client, {"input": [image, image]})
        assert answer.status_code == 413 and found in answer.get_json()["error"]


def test_a_body_without_a_length_is_limited_too(settings: Settings, leaving: DrainFlag) -> None:
    """A client cannot get round the limit by sending in chunks."""
    client = create_app(replace(settings, limits=Limits(body_bytes=1000)), leaving).test_client()
    answer = client.post(
        "/score",
        input_stream=io.BytesIO(b" " * 5000),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413 and "at most 1000 bytes" in answer.get_json()["error"]
