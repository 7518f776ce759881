"""`nocturne doctor`: is everything that a night needs there?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import typer

from nocturne.cli import exit_codes, workplace
from nocturne.cli.output import Json, out, print_json
from nocturne.composition import ConnectedWorld
from nocturne.domain.errors import Broken, NocturneError, NotFound
from nocturne.ports.cluster import Cluster
from nocturne.steps.freeze_inputs import read_manifests


@dataclass(frozen=True)
class Finding:
    """One check. advice: what to do, where it is not well."""

    part: str
    well: bool
    message: str
    advice: str = ""


def doctor(json: Json = False) -> None:
    """Check the configuration and every connection, and say what is wrong and what to do.

    Exit codes: 0 all is well, 2 release.toml (or NOCTURNE_ENVIRONMENT) is wrong, 4 a connection is wrong, or what is behind it is
    out of reach or not as a night needs it.
    """
    world = workplace.world()
    found = [_check(part, look) for part, look in _checks(world)]
    if json:
        print_json(found)
    else:
        for item in found:
            mark = "[green]well [/green]" if item.well else "[red]wrong[/red]"
            out.print(mark, end=" ")
            out.print(f"{item.part}: {item.message}" + (f"\n      {item.advice}" if item.advice else ""), markup=False)
    if not all(item.well for item in found):
        raise typer.Exit(exit_codes.BROKEN)


def _checks(world: ConnectedWorld) -> Iterator[tuple[str, Callable[[], str]]]:
    settings = world.configuration
    yield "code", lambda: _code(world)
    yield "model store", lambda: _models(world)
    yield "registry", lambda: _registry(world)
    yield "container engine", lambda: world.engine_version()
    yield "ledger", lambda: f"{len(world.ledger.releases(1000))} releases recorded"
    for name in settings.environments:
        yield f"environment {name}", lambda name=name: _environment(world, name)  # type: ignore[misc]
        if workplace.ships_to(world, name):
            yield f"manifests for {name}", lambda name=name: _manifests(world, name)  # type: ignore[misc]
    yield "airflow", _airflow


def _check(part: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, look())
    except NocturneError as error:
        return Finding(part, False, error.message, error.advice)


def _code(world: ConnectedWorld) -> str:
    code = world.code.resolve(world.configuration.code.ref)
    world.at(code.commit)
    return f"{world.configuration.code.ref} is {code.commit[:12]} ({code.subject})"


def _models(world: ConnectedWorld) -> str:
    if faults := world.models.check():
        # Each says what to do by itself.
        raise Broken("\n".join(faults), advice=f"the connection is {world.configuration.model.connection}")
    model = world.models.freeze(None)
    return f"latest is {model.version}, {model.size:,} bytes"


def _registry(world: ConnectedWorld) -> str:
    base = world.configuration.image.base
    found = world.registry.digest(base)
    if found is None:
        raise NotFound(f"the base image {world.registry.full(base)} is not there", advice="push it, or correct image.base")
    return f"{world.registry.full(base)} is {found}"


def _environment(world: ConnectedWorld, name: str) -> str:
    settings = world.configuration.environment(name)
    if not workplace.ships_to(world, name):
        return f"not shipped to from here: there is no connection {settings.connection}, and no night asks for it"
    cluster = world.cluster(name)
    running = cluster.running()
    if running is None:
        return f"runs nothing yet; {_future_address(cluster)}"
    url = cluster.public_url()
    answer = world.clients.open(url).get("/version")
    if answer.status != 200:
        advice = "see the app's log and what stands before it; `nocturne status` tells what was released"
        raise Broken(f"runs {running}, but {url}/version answered {answer.status}, expected 200", advice=advice)
    return f"runs {running}; {url}/version answers {answer.status}"


def _manifests(world: ConnectedWorld, name: str) -> str:
    """As the start of a run checks them: schemas, the account's rights in the cluster, and what the cluster itself says."""
    code = world.code.resolve(world.configuration.code.ref)
    files = read_manifests(world.at(code.commit), code, name)
    count = "the 1 file" if len(files) == 1 else f"the {len(files)} files"
    return f"nothing stands in the way of {count} at {code.commit[:12]}"


def _future_address(cluster: Cluster) -> str:
    try:
        return f"its address will be {cluster.public_url()}"
    except Broken:  # only what runs has one, where the first release makes it
        return "its address comes with the first release"


def _airflow() -> str:
    from nocturne.cli.airflow_api import CONNECTION, AirflowApi

    api = AirflowApi(workplace.connection(CONNECTION))
    health = api.health()
    errors = api.import_errors()
    if errors:
        listing = "\n".join(f"{file}: {text.strip().splitlines()[-1]}" for file, text in errors)
        raise NotFound(f"{len(errors)} DAG files cannot be loaded:\n{listing}", advice="correct what they name")
    sick = [part for part, state in health.items() if state != "healthy"]
    if sick:
        raise NotFound(f"not healthy: {', '.join(sick)}", advice="see the logs of Airflow")
    return f"{api.url}: {', '.join(health)} healthy"
