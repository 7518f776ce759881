"""`nocturne models`: what data scientists publish."""

from nocturne.cli.models import answered, diff, latest, listing, publish, show
from nocturne.cli.models.commands import commands

__all__ = ["answered", "commands", "diff", "latest", "listing", "publish", "show"]
