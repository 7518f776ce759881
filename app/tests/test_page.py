"""The page at `/`: who gets it, with which headers, and what its files are."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.card import Card
from app.examples import MOST, read_examples
from app.limits import Limits
from app.page import file_address, page_blueprint
from app.samples import Keeping

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
NOTHING_KEPT = Keeping()


def client_of(card: Card | None, keeping: Keeping = NOTHING_KEPT) -> FlaskClient:
    """Return a client of an app that has the page and nothing else."""
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(page_blueprint(card, Limits(), keeping))
    return app.test_client()


@pytest.fixture(scope="module")
def visitor(card: Card) -> FlaskClient:
    """Somebody who asks for the page of the trained model."""
    return client_of(card)


@pytest.mark.parametrize("accept", [None, "*/*", "text/plain", "application/json", "text/*", "text/html;q=0.1, */*"])
def test_who_does_not_want_a_page_gets_the_old_word(visitor: FlaskClient, accept: str | None) -> None:
    """Probes and programs read `Healthy`, as ever."""
    answer = visitor.get("/", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.text, answer.mimetype, answer.headers["Vary"]) == (
        200,
        "Healthy",
        "text/plain",
        "Accept",
    )


def test_a_browser_gets_the_page_and_may_load_nothing_from_elsewhere(visitor: FlaskClient) -> None:
    """The page is HTML without inline code, under a strict policy."""
    answer = visitor.get("/", headers=BROWSER)
    assert (answer.status_code, answer.mimetype, answer.headers["Vary"]) == (200, "text/html", "Accept")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    assert not re.search(r"<style|style=|<script(?![^>]* src=)| on\w+=", answer.text)
    assert not re.search(r"(?:src|href)=\"(?!/)", answer.text)


def test_a_page_that_did_not_change_is_not_sent_again(visitor: FlaskClient) -> None:
    """Browsers ask each time whether there is a new page, and are told when there is none."""
    first = visitor.get("/", headers=BROWSER)
    assert first.headers["Cache-Control"] == "no-cache"
    again = visitor.get("/", headers={**BROWSER, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_all_that_the_page_loads_is_there(visitor: FlaskClient) -> None:
    """Every address in the page answers, each of its own kind, and so does every module that another imports."""
    addresses = re.findall(r"(?:src|href)=\"(/page/[^\"]+)\"", visitor.get("/", headers=BROWSER).text)
    assert len(addresses) > 10
    kinds = {visitor.get(address).mimetype for address in addresses}
    assert kinds == {"text/css", "text/javascript", "image/svg+xml", "image/png"}
    scripts = [visitor.get(address).text for address in addresses if address.endswith(".js")]
    for name in re.findall(r"from \"\./([a-z]+\.js)\"", "".join(scripts)):
        assert file_address(name) in addresses


def test_files_are_kept_for_good_but_never_those_of_another_release(visitor: FlaskClient) -> None:
    """The address has the files' digest; whoever asks for another release's file gets ours, and keeps it not."""
    assert "immutable" in visitor.get(file_address("page.js")).headers["Cache-Control"]
    other = visitor.get("/page/0123456789abcdef/page.js")
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("name", ["index.html", "nothing.js", "..%2Fpage.py", "%2e%2e%2fweb.py", "example-10"])
def test_there_are_no_other_files(visitor: FlaskClient, name: str) -> None:
    """Only what the page needs can be asked for."""
    assert visitor.get(f"/page/0/{name}").status_code == 404


def test_every_label_has_an_example_that_shows_it(visitor: FlaskClient, card: Card) -> None:
    """One golden image for each label, in the labels' order, as a button with a name."""
    page = visitor.get("/", headers=BROWSER).text
    assert re.findall(r"alt=\"Example of (.)\"", page) == list(card.labels)
    assert [example.label for example in read_examples(card)] == list(card.labels)


def test_there_are_at_most_ten_examples_and_none_without_a_golden_set(card: Card, tmp_path: Path) -> None:
    """Another model, or a damaged golden set, brings no examples, and the app serves all the same."""
    assert len(read_examples(replace(card, labels=(*card.labels, "ten")))) == MOST
    assert read_examples(replace(card, name="../digits")) == []
    (tmp_path / "digits.json").write_text("{")
    assert read_examples(card, tmp_path) == []


def test_only_a_model_whose_card_says_so_can_be_drawn_for(card: Card) -> None:
    """Nobody is asked to draw a photograph."""
    drawn, chosen = (client_of(replace(card, draw=draw)).get("/", headers=BROWSER).text for draw in (True, False))
    assert "<canvas" in drawn and "<canvas" not in chosen
    assert 'type="file"' in drawn and 'type="file"' in chosen


def test_what_comes_with_the_model_cannot_become_code(card: Card) -> None:
    """Names and labels are escaped: they come from outside."""
    page = client_of(replace(card, name="<script>", labels=("<b>", '"x'))).get("/", headers=BROWSER).text
    assert "<b>" not in page and "<script>" not in page and "&lt;b&gt;" in page


def test_the_page_says_what_is_kept(card: Card) -> None:
    """Whoever draws learns whether it is kept, of how many, and how long."""
    assert "It is kept nowhere" in client_of(card).get("/", headers=BROWSER).text
    keeping = client_of(card, Keeping(50, "a-token-of-16-characters")).get("/", headers=BROWSER).text
    assert "kept nowhere" not in keeping and "One of 10 images" in keeping and "the newest 50" in keeping
    assert "a-token" not in keeping


def test_without_a_model_the_page_says_so() -> None:
    """A page is there before there is a model, and offers nothing that cannot work."""
    page = client_of(None).get("/", headers=BROWSER).text
    assert "no model yet" in page and 'data-ready="no"' in page and 'type="file"' not in page
