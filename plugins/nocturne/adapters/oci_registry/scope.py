"""What a token is to allow: actions on repositories, and no more than we need.

Source: https://distribution.github.io/distribution/spec/auth/scope/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# The only actions that we ever perform; a registry that asks for more (`delete`, `*`, its catalogue) does not get it.
_ACTIONS = ("pull", "push")
_READING = ("GET", "HEAD")


@dataclass(frozen=True)
class Scope:
    """Actions by repository, in the order in which they were asked for."""

    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __or__(self, other: "Scope") -> "Scope":
        """Both together."""
        merged = {name: set(actions) for name, actions in self.actions.items()}
        for name, actions in other.actions.items():
            merged.setdefault(name, set()).update(actions)
        return Scope({name: tuple(action for action in _ACTIONS if action in actions) for name, actions in merged.items()})

    def without(self, repository: str) -> "Scope":
        """The others."""
        return Scope({name: actions for name, actions in self.actions.items() if name != repository})

    def __bool__(self) -> bool:
        return bool(self.actions)

    def items(self) -> list[str]:
        """As token servers read them, one text a repository: `repository:app:pull,push`."""
        return [f"repository:{name}:{','.join(actions)}" for name, actions in self.actions.items()]

    def __str__(self) -> str:
        return ", ".join(f"{' and '.join(actions)} {name}" for name, actions in self.actions.items()) or "nothing"


def parse_scope(text: str) -> Scope:
    """Read the `scope` of a challenge; other resources than repositories are left out. A name may hold colons."""
    scope = Scope()
    for item in text.split():
        kind, _, rest = item.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind == "repository" and name:
            scope |= _only(name, actions.split(","))
    return scope


def scope_of(method: str, repository: str, source: str | None) -> Scope:
    """What one request needs. source: the repository that a blob is mounted from."""
    needed = Scope({repository: ("pull",) if method in _READING else _ACTIONS})
    return needed | Scope({source: ("pull",)}) if source else needed


def writing(repository: str, source: str) -> Scope:
    """What it takes to put an image there whose layers come from the repository `source`."""
    return Scope({repository: _ACTIONS}) | Scope({source: ("pull",)})


def parse_access(access: Any) -> Scope:
    """Read the `access` claim of a token (https://distribution.github.io/distribution/spec/auth/jwt/)."""
    scope = Scope()
    for item in access if isinstance(access, list) else []:
        if isinstance(item, dict) and item.get("type") == "repository" and isinstance(item.get("actions"), list):
            scope |= _only(str(item.get("name")), item["actions"])
    return scope


def _only(name: str, actions: Iterable[Any]) -> Scope:
    given = set(actions)
    known = tuple(action for action in _ACTIONS if action in given or "*" in given)
    return Scope({name: known}) if known else Scope()
