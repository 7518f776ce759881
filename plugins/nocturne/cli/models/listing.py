"""`nocturne models list`: what was published, and what became of it."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, day, print_json, print_table
from nocturne.composition import ConnectedWorld
from nocturne.domain import digest
from nocturne.domain.model import ModelManifest
from nocturne.ports.model_store import ModelListing
from nocturne.steps.model_history import Presence, Span, spans

_ALL_RELEASES = 1_000_000


@dataclass(frozen=True)
class Fate:
    """What became of a version. history: when it was live, by environment and beginning. rejected: why, empty where it was not."""

    listing: ModelListing
    history: tuple[Span, ...]
    rejected: str

    @property
    def live(self) -> list[str]:
        """The environments where it is live."""
        return [span.environment for span in self.history if span.until is None]

    @property
    def was_live(self) -> dict[str, str]:
        """Until when it was live in each environment where it is not now; RFC 3339."""
        return {span.environment: str(span.to_dict()["until"]) for span in self.history if span.environment not in self.live}

    @property
    def metrics(self) -> dict[str, Any]:
        """As the card tells them."""
        found = self.listing.manifest.card.get("metrics")
        return found if isinstance(found, dict) else {}


@commands.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    json: Json = False,
) -> None:
    """List the published versions, newest first: where each is live or was, and why it was rejected."""
    found = _fates(workplace.world(), limit)
    if json:
        print_json([_plain(item) for item in found])
        return
    columns = ("version", "", "live in", "was live", "digest", "published (UTC)", "metrics", "rejected")
    print_table(columns, map(_row, found), "No model was published yet: `nocturne models publish DIR`.")


def _fates(world: ConnectedWorld, limit: int) -> list[Fate]:
    listed = world.models.versions(limit)
    rejected = {item.id: item.reason for item in world.ledger.quarantined()}
    history = _history(world)
    return [Fate(item, tuple(history.get(item.manifest.digest, [])), _reason(rejected, item.manifest)) for item in listed]


def _history(world: ConnectedWorld) -> dict[str, list[Span]]:
    """Model digest to when it was live. The same files under two names are one model, wherever it was taken from."""
    # Of each environment at once, not version by version: a store may hold thousands of versions, and a ledger years of nights.
    live = [
        span
        for name in world.configuration.environments
        for span in spans(world.ledger.changes(name))
        if span.presence is Presence.LIVE
    ]
    models = {release.id: release.inputs.model.digest for release in world.ledger.releases(_ALL_RELEASES)} if live else {}
    found: dict[str, list[Span]] = {}
    for span in live:
        found.setdefault(models[span.release_id], []).append(span)
    return found


def _reason(rejected: dict[str, str], manifest: ModelManifest) -> str:
    """Why a version was rejected: what is in it, or what the store holds under its name."""
    return rejected.get(manifest.digest) or rejected.get(f"{manifest.name}/{manifest.version}", "")


def _row(item: Fate) -> tuple[str, ...]:
    manifest = item.listing.manifest
    return (
        item.listing.version,
        "latest" if item.listing.latest else "",
        ", ".join(item.live),
        ", ".join(f"{name} until {day(until)}" for name, until in item.was_live.items()),
        digest.short(manifest.digest),
        day(manifest.created_at),
        ", ".join(f"{name} {value}" for name, value in item.metrics.items()),
        item.rejected.partition("\n")[0],
    )


def _plain(item: Fate) -> dict[str, Any]:
    manifest = item.listing.manifest
    return {
        "version": item.listing.version,
        "latest": item.listing.latest,
        "digest": manifest.digest,
        "created_at": manifest.created_at,
        "size": manifest.size,
        "metrics": item.metrics,
        "live": item.live,
        "history": [span.to_dict() for span in item.history],
        "rejected": item.rejected or None,
    }
