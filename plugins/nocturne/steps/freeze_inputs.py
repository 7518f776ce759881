"""Decide once what this run is about, and whether there is anything to do."""

from dataclasses import dataclass

from nocturne.domain import digest
from nocturne.domain.code import CodeVersion
from nocturne.domain.configuration import FILE
from nocturne.domain.errors import ConfigurationError, NotFound, Rejected
from nocturne.domain.inputs import Inputs
from nocturne.domain.plan import Facts, Plan, make_plan
from nocturne.steps.rejection import reject
from nocturne.steps.world import Run, World


@dataclass(frozen=True)
class Wish:
    """What the run was asked for. commit: any ref, None for the configured one. model_version: None for the latest."""

    commit: str | None = None
    model_version: str | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Frozen:
    """The frozen inputs and the plan. inputs is None where one of them is in quarantine."""

    inputs: Inputs | None
    plan: Plan


def freeze_inputs(world: World, run: Run, wish: Wish) -> Frozen:
    """Freeze code, model, base image and manifests by digest; record the release unless this is a dry run or nothing is to do.

    Raises Rejected when an input cannot be released at all; its culprits are in quarantine then. Raises NotFound for a ref or
    version that does not exist.
    """
    try:
        return _freeze(world, run, wish)
    except Rejected as error:
        known = world.ledger.quarantined(*error.culprits) if error.culprits and not run.force else []
        if known:
            reasons = tuple(f"{item.id} was rejected on {item.since[:19]} UTC: {item.reason}" for item in known)
            return Frozen(None, Plan("", False, reasons))
        raise error if wish.dry_run else reject(world, run, "", error) from error


def _freeze(world: World, run: Run, wish: Wish) -> Frozen:
    code = world.code.resolve(wish.commit or world.configuration.code.ref)
    world.log(f"code:  {code.commit[:12]}, tree {code.tree[:12]} ({code.subject})")
    world = _configured_at(world, code)
    model = world.models.freeze(wish.model_version)
    world.log(f"model: {model.version}, {model.digest} ({model.size:,} bytes in {len(model.files)} files)")
    base = _base_image(world)
    world.log(f"base:  {base}")
    manifests = read_manifests(world, code, run.environment)
    inputs = Inputs(code, model, base, digest.of_json(manifests))
    world.log(f"release: {inputs.release_id}")
    plan = make_plan(_facts(world, run, inputs))
    if plan.needed and not wish.dry_run:
        world.ledger.open_release(inputs, manifests)
    return Frozen(inputs, plan)


def read_manifests(world: World, code: CodeVersion, environment: str) -> dict[str, str]:
    """The manifests of an environment's target at a commit: path in their folder to text. Raises Rejected with every fault."""
    folder = world.configuration.environment(environment).manifests
    paths = world.code.list(code.commit, folder)
    if not paths:
        raise Rejected(
            f"the app has no manifests for {environment}: found no file in {folder}/ at {code.commit[:12]}",
            advice=f"commit them, or correct environments.{environment}.manifests in {FILE}",
            culprits=(code.tree,),
        )
    manifests = {path.removeprefix(f"{folder}/"): world.code.read(code.commit, path).decode() for path in paths}
    faults = world.cluster(environment).check(manifests)
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        raise Rejected(f"the manifests in {folder}/ are refused:{listing}", advice=f"correct {folder}/", culprits=(code.tree,))
    return manifests


def _configured_at(world: World, code: CodeVersion) -> World:
    try:
        return world.at(code.commit)
    except ConfigurationError as error:
        raise Rejected(error.message, advice=error.advice, culprits=(code.tree,)) from error


def _base_image(world: World) -> str:
    reference = world.configuration.image.base
    found = world.registry.digest(reference)
    if found is None:
        raise NotFound(
            f"the base image {world.registry.full(reference)} does not exist",
            advice=f"push it there, or correct image.base in {FILE}",
        )
    return f"{reference.rpartition(':')[0]}@{found}"


def _facts(world: World, run: Run, inputs: Inputs) -> Facts:
    live = next(iter(world.ledger.verified(run.environment, limit=1)), None)
    return Facts(
        inputs=inputs,
        environment=run.environment,
        live=live,
        live_inputs=world.ledger.release(live.release_id).inputs if live else None,
        running=world.cluster(run.environment).running(),
        quarantined=tuple(world.ledger.quarantined(inputs.release_id, inputs.code.tree, inputs.model.digest, inputs.model.label)),
        hold=world.ledger.held(run.environment),
        force=run.force,
    )
