"""The OpenAPI document and its page: what they promise about this very model."""

import base64
import re
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.card import Card
from app.golden_set import Sample
from app.limits import Limits
from app.openapi import openapi_document
from app.openapi.example import IMAGE, LABEL
from app.problems import Problem
from app.reference import reference_blueprint

RELEASE = {"release": "r-1", "commit": "c0ffee", "tree": "3f2a", "model_version": "7", "model_digest": "sha256:00"}
LIMITS = Limits(body_bytes=4321, images=5, pixels=98765)


@pytest.fixture
def document(card: Card) -> dict[str, Any]:
    """The document of the trained model."""
    return openapi_document(card, RELEASE, LIMITS)


@pytest.fixture
def reader(document: dict[str, Any]) -> FlaskClient:
    """A client of an app that has the document's addresses and no others."""
    app = Flask(__name__)
    app.register_blueprint(reference_blueprint(document))
    return app.test_client()


LOADED = re.compile(r'<(?:link|script|img|iframe)[^>]* (?:href|src)="([^"]*)"')


def test_the_document_tells_labels_limits_and_model(document: dict[str, Any], card: Card) -> None:
    """Whoever reads it needs no other source."""
    told = document["info"]["description"]
    assert all(text in told for text in (card.name, "4,321 bytes", "5 images", "98,765 pixels"))
    assert all(f"`{label}`" in told for label in card.labels)
    top = document["paths"]["/v1/predict"]["post"]["parameters"][0]["schema"]
    assert (top["maximum"], top["default"]) == (len(card.labels), 3)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No reference points at what is not there, and nothing shared is unused."""
    used = set(re.findall(r'"\$ref":"#/components/([^"]+)"', orjson.dumps(document).decode()))
    there = {f"{kind}/{name}" for kind, parts in document["components"].items() for name in parts}
    assert used == there


def test_every_operation_has_a_name_of_its_own_and_promises_both_headers(document: dict[str, Any]) -> None:
    """Generated clients name their functions by it."""
    operations = [item[method] for item in document["paths"].values() for method in ("get", "post") if method in item]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert {"X-Release", "X-Request-ID"} <= operation["responses"]["200"]["headers"].keys()


def test_the_example_is_golden_and_the_model_knows_it(client: FlaskClient, golden: list[Sample]) -> None:
    """What the document shows as an answer is what the app answers."""
    assert (IMAGE, LABEL) in [(sample.image, sample.label) for sample in golden]
    answer = client.post("/v1/predict", data=base64.b64decode(IMAGE), content_type="image/png")
    assert answer.json["predictions"][0]["labels"][0]["label"] == LABEL


def test_a_model_with_one_fixed_size_or_many_labels_is_described_too(card: Card) -> None:
    """The description stays readable with a thousand labels, and the schema knows them all."""
    labels = tuple(f"label {place}" for place in range(1000))
    many = type(card)(**{**vars(card), "labels": labels, "name": "many"})
    document = openapi_document(many, dict.fromkeys(RELEASE), LIMITS)
    assert "and 980 more" in document["info"]["description"]
    assert document["components"]["schemas"]["Ranked"]["properties"]["label"]["enum"] == list(labels)


def test_the_document_is_asked_for_again_but_sent_once(reader: FlaskClient, document: dict[str, Any]) -> None:
    """A client that has it gets 304 and no body."""
    first = reader.get("/openapi.json")
    assert first.mimetype == "application/json" and first.json == orjson.loads(orjson.dumps(document))
    second = reader.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.data) == (304, b"")


def test_the_page_shows_every_address_and_a_command_for_it(reader: FlaskClient, document: dict[str, Any]) -> None:
    """The commands name the host that the reader asked."""
    page = reader.get("/docs", base_url="http://digits.example:8080").text
    for path, item in document["paths"].items():
        assert f'<span class="path">{path.replace("/", "/<wbr>")}</span>' in page
        assert ("get" if "get" in item else "post") in item
    assert page.count("curl ") == sum(
        method in item for item in document["paths"].values() for method in ("get", "post")
    )
    assert "http://digits.example:8080/v1/predict" in page


def test_a_name_with_odd_signs_stands_in_addresses_as_it_must(card: Card) -> None:
    """A command with a space or a slash in it would ask another address, or none."""
    app = Flask(__name__)
    odd = type(card)(**{**vars(card), "name": "my model/ü"})
    app.register_blueprint(reference_blueprint(openapi_document(odd, RELEASE, LIMITS)))
    assert "curl http://localhost/v2/models/my%20model/%C3%BC/versions/7</code>" in app.test_client().get("/docs").text


def test_the_page_loads_nothing_but_its_own_style(reader: FlaskClient) -> None:
    """No script, no inline style, no other host; and its policy would stop them."""
    answer = reader.get("/docs")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert set(LOADED.findall(answer.text)) == {"data:,", "/docs/reference.css"}
    assert "<script" not in answer.text and " style=" not in answer.text
    style = reader.get("/docs/reference.css")
    assert style.mimetype == "text/css" and "url(" not in style.text and "@import" not in style.text


def test_an_odd_host_cannot_write_into_the_page(reader: FlaskClient) -> None:
    """What a request calls the host is shown as text, quoted for the shell."""
    answer = reader.get("/docs", headers={"Host": "x';touch pwned;'<b>"})
    assert answer.status_code == 400 or ("<b>" not in answer.text and "curl http://x';" not in answer.text)


def test_without_a_model_there_is_nothing_to_describe() -> None:
    """Both addresses say so, as a problem."""
    app = Flask(__name__)
    app.testing = True
    app.register_blueprint(reference_blueprint(None))
    for address in ("/docs", "/openapi.json"):
        with pytest.raises(Problem, match="no model yet") as raised:
            app.test_client().get(address)
        assert raised.value.status == 503
