"""`nocturne models answered`: which model was in production then?"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from nocturne.cli import workplace
from nocturne.cli.models.commands import commands
from nocturne.cli.output import Json, print_json, print_table
from nocturne.domain import digest
from nocturne.domain.errors import NotFound
from nocturne.domain.records import Release
from nocturne.steps.model_history import Presence, Span, spans

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?")
_INSTANT = timedelta(microseconds=1)


@commands.command()
def answered(
    when: Annotated[
        str,
        typer.Argument(
            metavar="DATE|TIMESTAMP",
            help="2026-11-20 or 2026-11-20T14:30; in UTC, or with an offset such as +01:00 at its end.",
        ),
    ],
    environment: Annotated[str | None, typer.Option(help="Where; by default where nights ship to.")] = None,
    json: Json = False,
) -> None:
    """Tell which model answered on a day, or at a moment: all that were live, and releases that were on their way just then.

    Exit codes: 0 something was there, 2 no date, 5 it was before the first release, or has not come yet.
    """
    start, end = window(when)
    world = workplace.world()
    where = environment or world.configuration.night.environment
    world.configuration.environment(where)
    known = spans(world.ledger.changes(where))
    if start > world.clock.now():
        raise NotFound(f"{when} has not come yet", advice="ask for a time that has passed")
    found = [span for span in known if span.touches(start, end)]
    if not found:
        raise _nothing(when, where, known)
    told = [(span, world.ledger.release(span.release_id)) for span in found]
    if json:
        print_json([_plain(span, release) for span, release in told])
        return
    zone = start.strftime("%Z")
    columns = (f"from ({zone})", f"until ({zone})", "how", "release", "model", "digest", "commit")
    print_table(columns, [_row(span, release, start) for span, release in told], "")


def window(text: str) -> tuple[datetime, datetime]:
    """The day or the moment that a text means, its end not included. Raises typer.BadParameter."""
    day = _DAY.fullmatch(text)
    try:
        if day is None:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment, moment + _INSTANT
        date.fromisoformat(day[1])
        start = datetime.fromisoformat(f"{day[1]}T00:00:00{day[2] or 'Z'}")
        return start, start + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"found {text!r}, expected 2026-11-20 or 2026-11-20T14:30+01:00 ({error})") from error


def _nothing(when: str, environment: str, known: list[Span]) -> NotFound:
    begun = f"the first release came there at {known[0].to_dict()['from']}" if known else "nothing was ever released there"
    return NotFound(f"nothing answered in {environment} at {when}: {begun}", advice="ask for a later time, or with --environment")


def _row(span: Span, release: Release, zone: datetime) -> tuple[str, ...]:
    model, code = release.inputs.model, release.inputs.code
    return (
        _local(span.since, zone),
        _local(span.until, zone) if span.until else _lasting(span),
        span.presence,
        span.release_id,
        f"{model.name} {model.version}",
        digest.short(model.digest),
        code.commit[:12],
    )


def _plain(span: Span, release: Release) -> dict[str, Any]:
    return {
        **span.to_dict(),
        "model_version": release.inputs.model.version,
        "model_digest": release.inputs.model.digest,
        "commit": release.inputs.code.commit,
    }


def _lasting(span: Span) -> str:
    return "not known" if span.presence is Presence.FAILED else "now"


def _local(moment: datetime, zone: datetime) -> str:
    return moment.astimezone(zone.tzinfo).strftime("%Y-%m-%d %H:%M:%S")
