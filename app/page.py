"""The page at `/`, where people try the model; its files, plain HTML, CSS and JavaScript, are in `page/`."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request
from jinja2 import Environment, StrictUndefined

from app.card import Card
from app.examples import Example, read_examples
from app.limits import Limits
from app.samples import SHARE, Keeping

FOLDER = Path(__file__).parent / "page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FEW_LABELS = 12

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
}
"""What every HTML page of the app is sent with: it may load nothing from elsewhere, and nobody may frame it."""


def page_blueprint(card: Card | None, limits: Limits, keeping: Keeping) -> Blueprint:
    """Return `/` and the files of its page, for the model with this card; None while there is no model.

    Browsers get the page, all others, such as probes, the word that they always got.
    """
    examples = read_examples(card) if card else []
    page = _render(card, limits, keeping, examples)
    pictures = {_picture_name(place): example for place, example in enumerate(examples)}
    blueprint = Blueprint("page", __name__)

    @blueprint.get("/")
    def root() -> Response:
        if request.accept_mimetypes.best_match(["text/plain", "text/html"]) != "text/html":
            return Response("Healthy", mimetype="text/plain", headers={"Vary": "Accept"})
        answer = Response(page, mimetype="text/html", headers={**HEADERS, "Vary": "Accept"})
        return _kept(answer, hashlib.sha256(page.encode()).hexdigest(), "no-cache")

    @blueprint.get("/page/<digest>/<name>")
    def file(digest: str, name: str) -> Response:
        # During a rollout the page may be of one release and this answer of the next: it works, and is not kept.
        policy = "public, max-age=31536000, immutable" if digest == _digest() else "no-store"
        if name in _files():
            answer = Response(_files()[name], mimetype=TYPES[Path(name).suffix])
        elif name in pictures:
            answer = Response(pictures[name].content, mimetype=pictures[name].type)
            policy = "no-cache"
        else:
            abort(404, f"found {name[:60]!r}; expected a file of the page, such as page.css")
        return _kept(answer, hashlib.sha256(answer.get_data()).hexdigest(), policy)

    return blueprint


def file_address(name: str) -> str:
    """Return the address of one of the page's files; another content has another address."""
    return f"/page/{_digest()}/{name}"


def _kept(answer: Response, digest: str, policy: str) -> Response:
    answer.set_etag(digest[:32])
    answer.headers["Cache-Control"] = policy
    answer.make_conditional(request)
    return answer


def _render(card: Card | None, limits: Limits, keeping: Keeping, examples: Sequence[Example]) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((FOLDER / "index.html").read_text()).render(
        title=card.name[:1].upper() + card.name[1:] if card else "No model yet",
        card=card,
        knows=_knows(card.labels) if card else "",
        limits=limits,
        keeping=keeping,
        one_of=round(1 / SHARE),
        examples=[(example.label, file_address(_picture_name(place))) for place, example in enumerate(examples)],
        address=file_address,
        scripts=sorted(name for name in _files() if name.endswith(".js")),
    )


def _knows(labels: Sequence[str]) -> str:
    if list(labels) == [str(number) for number in range(len(labels))]:
        return f"{labels[0]} to {labels[-1]}"
    return ", ".join(labels) if len(labels) <= FEW_LABELS else f"{len(labels):,} different things"


def _picture_name(place: int) -> str:
    return f"example-{place}"


@cache
def _files() -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(FOLDER.iterdir()) if file.suffix in TYPES}


@cache
def _digest() -> str:
    content = b"".join(name.encode() + b"\0" + content for name, content in _files().items())
    return hashlib.sha256(content).hexdigest()[:16]
