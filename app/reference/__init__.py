"""`/openapi.json`, and `/docs`: the same document as a page, rendered here, that needs no script and no other host."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Response, request
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from app.page import HEADERS
from app.problems import Problem
from app.reference.schemas import Resolver
from app.reference.snippets import curl, save_example, with_requests, with_tritonclient

FOLDER = Path(__file__).parent
METHODS = ("get", "post")


def reference_blueprint(document: Mapping[str, Any] | None) -> Blueprint:
    """Return both addresses and the page's style; without a document, because there is no model, they say so."""
    blueprint = Blueprint("reference", __name__)
    content = orjson.dumps(document)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        _told(document)
        return _kept(Response(content, mimetype="application/json"))

    @blueprint.get("/docs")
    def docs() -> Response:
        page = _render(_told(document), request.host_url.rstrip("/"))
        return _kept(Response(page, mimetype="text/html", headers={**HEADERS, "Vary": "Host"}))

    @blueprint.get("/docs/reference.css")
    def style() -> Response:
        return _kept(Response((FOLDER / "reference.css").read_bytes(), mimetype="text/css"))

    return blueprint


def _told(document: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if document is None:
        raise Problem(503, "there is no model yet, so nothing can be said about its addresses; /readyz tells why")
    return document


def _kept(answer: Response) -> Response:
    # The next release has another document at the same address: it is asked for again each time.
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _render(document: Mapping[str, Any], host: str) -> str:
    resolver = Resolver(document)
    operations = [
        {
            **item[method],
            "method": method.upper(),
            "path": path,
            "parameters": resolver.all([*item.get("parameters", ()), *item[method].get("parameters", ())]),
            "curl": curl(host, method, path, item, resolver),
        }
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    chapters = [(tag, [it for it in operations if tag["name"] in it["tags"]]) for tag in document["tags"]]
    page: str = _template().render(
        document=document,
        chapters=chapters,
        resolver=resolver,
        save_example=save_example(),
        with_requests=with_requests(host),
        with_tritonclient=with_tritonclient(host, document["info"]["title"]),
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"marked": _marked, "pretty": _pretty, "breakable": _breakable}
    return environment.from_string((FOLDER / "reference.html").read_text())


def _marked(text: str) -> Markup:
    """Paragraphs and code of a description: the little of CommonMark that the document uses."""
    marked = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in marked.split("\n\n")))


def _breakable(path: str) -> Markup:
    """Return a path that may go on in the next line after each slash."""
    return Markup("/<wbr>").join(path.split("/"))


def _pretty(example: object) -> str:
    if isinstance(example, str):
        return example
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
