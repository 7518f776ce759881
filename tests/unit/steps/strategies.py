"""Worlds whose environment has a strategy, and whose production has a release that another takes over from."""

from nocturne.domain.configuration import FILE
from nocturne.domain.release_toml import parse_configuration
from nocturne.ports.cluster import Counters, Side, Stage, Traffic
from nocturne.steps.freeze_inputs import Wish, freeze_inputs
from tests.fakes.cluster import FakeCluster
from tests.fakes.world import RELEASE_TOML, FakeWorld
from tests.unit.steps.nights import night, run_of

BLUE_GREEN = 'kind = "blue-green"\nkeep_seconds = 60'
CANARY = 'kind = "canary"\n[environments.production.strategy.canary]\nseconds = 20\nmin_requests = 50'


def on_kubernetes(world: FakeWorld, strategy: str = "", keys: str = "") -> None:
    """Ship to Kubernetes from now on. keys: more of the environment's. Fakes begin as the strategy demands."""
    text = RELEASE_TOML.decode().replace('"swarm"\nconnection', '"kubernetes"\nconnection')
    text += f"{keys}\n[environments.production.strategy]\n{strategy}\n"
    world.push(release_toml=text.encode())
    world.configuration = parse_configuration(text.encode(), FILE)
    stages = {"blue-green": Stage.BESIDE, "canary": Stage.SHARE}
    world.production.before_whole = stages.get(world.configuration.environments["production"].strategy.kind, Stage.WHOLE)


def live_and_next(world: FakeWorld) -> tuple[str, str]:
    """Ids of a release that is live and of the next, which was not rolled out yet."""
    first = str(night(world, 1).release_id)
    world.push()
    return first, next_id(world)


def next_id(world: FakeWorld) -> str:
    """The release that the next night would ship."""
    return freeze_inputs(world, run_of(0), Wish(dry_run=True)).plan.release_id


def users_ask(world: FakeWorld, new: Traffic, live: Traffic) -> None:
    """From the second count on, users have asked that much of each side."""
    counts = {Side.NEW: [Traffic(0, 0), new], Side.LIVE: [Traffic(0, 0), live]}
    production = world.production

    def served(side: Side) -> Counters | None:
        production.counted = {side: counts[side].pop(0) if len(counts[side]) > 1 else counts[side][0]}
        return FakeCluster.served(production, side)

    production.served = served  # type: ignore[method-assign]


def stages(world: FakeWorld) -> list[tuple[str, Stage]]:
    """What production was asked for, in order."""
    return [(state.release_id, state.stage) for state in world.production.applied]
