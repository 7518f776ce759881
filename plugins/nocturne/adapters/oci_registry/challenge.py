"""What a registry asks for when it answers 401.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 and https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# One element of the list: `Scheme`, `name=value` or both (`Scheme name=value`). A quoted value may hold commas and spaces.
_ELEMENT = re.compile(
    r"""[\s,]*(?:(?P<scheme>[\w!#$%&'*+.^`|~-]+)(?=\s+[^\s=]|\s*(?:,|$))(?!\s*=)\s*)?"""
    r"""(?:(?P<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+)))?"""
)


@dataclass(frozen=True)
class Challenge:
    """What a `WWW-Authenticate` header asks for. scheme: `basic` or `bearer`; parameters: realm, service, scope and error."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge of every `WWW-Authenticate` header, in order; one header may hold several."""
    return [challenge for header in headers for challenge in _parse(header)]


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while position < len(header):
        match = _ELEMENT.match(header, position)
        if match is None or match.end() == position:
            break  # what follows is no list of challenges any more
        position = match.end()
        if scheme := match["scheme"]:
            found.append(Challenge(scheme.lower(), {}))
        if match["name"] and found:
            quoted = match["quoted"]
            value = match["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1].parameters[match["name"].lower()] = value
    return found
