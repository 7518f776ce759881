"""What Flask refuses before a view is asked, in the app's own words."""

from urllib.parse import quote

from werkzeug.exceptions import BadHost, HTTPException, MethodNotAllowed, NotFound

from app.problems import Problem

SHOWN = 80
"""How many characters of a request are repeated at most."""


def flask_problem(error: HTTPException, method: str, path: str, host: str) -> Problem:
    """Return the problem to answer with. method, path and host: the request's, as PEP 3333 has them."""
    headers = tuple((name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After"))
    return Problem(error.code or 500, _detail(error, method, path, host), headers)


def _detail(error: HTTPException, method: str, path: str, host: str) -> str:
    # A view has said it itself.
    if "description" in vars(error):
        return str(error.description)
    if isinstance(error, NotFound):
        return f"found {_short(quote(path.encode('latin-1')))}; expected an address of /openapi.json"
    if isinstance(error, MethodNotAllowed):
        return f"found {_short(method)}; expected {' or '.join(sorted(error.valid_methods or ()))}"
    if isinstance(error, BadHost):
        return f"found Host: {_short(host)}; expected a host's name, or its address"
    return f"found a request that cannot be answered ({error.name}); expected one as /openapi.json describes it"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
