"""Decide once what this run is about, and whether there is anything to do."""

import dataclasses
from dataclasses import dataclass

from nocturne.domain import digest
from nocturne.domain.code import CodeVersion
from nocturne.domain.configuration import FILE
from nocturne.domain.errors import Broken, ConfigurationError, Conflict, NocturneError, NotFound, Rejected
from nocturne.domain.inputs import Inputs
from nocturne.domain.limits import check_limits
from nocturne.domain.model import FrozenModel
from nocturne.domain.plan import Facts, Plan, make_plan
from nocturne.domain.records import Deployment, Release
from nocturne.domain.strategy import Drift
from nocturne.steps.choose_model import Chosen, choose_model
from nocturne.steps.desired import desired_state
from nocturne.steps.keep_model import keep
from nocturne.steps.rejection import reject
from nocturne.steps.trust import demand_signature
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
    version that does not exist, ConfigurationError when the deployed file's limits are too short, and Conflict when only a change
    by hand would have to be put right and the environment forbids it.
    """
    try:
        return _freeze(world, run, wish)
    except Rejected as error:
        known = world.ledger.quarantined(*error.culprits) if error.culprits and not run.force else []
        # What this very run has refused is news still: it was killed before it could say so.
        earlier = [item for item in known if item.run_id != run.id]
        if earlier:
            reasons = tuple(f"{item.id} was rejected on {item.since[:19]} UTC: {item.reason}" for item in earlier)
            return Frozen(None, Plan("", False, reasons))
        raise error if wish.dry_run else reject(world, run, "", error) from error


def _freeze(world: World, run: Run, wish: Wish) -> Frozen:
    code = world.code.resolve(wish.commit or world.configuration.code.ref)
    world.log(f"code:  {code.commit[:12]}, tree {code.tree[:12]} ({code.subject})")
    deployed = world.configuration
    world = _configured_at(world, code)
    check_limits(deployed, world.configuration, run.environment)
    chosen = choose_model(world, run, lambda: _newest_model(world, run.environment, wish), named=bool(wish.model_version))
    model = chosen.model
    if chosen.kept:
        world.log(chosen.kept)
    world.log(f"model: {model.version}, {model.digest} ({model.size:,} bytes in {len(model.files)} files)")
    base = _base_image(world)
    world.log(f"base:  {base}")
    manifests = read_manifests(world, code, run.environment)
    inputs = Inputs(code, model, base, digest.of_json(manifests))
    world.log(f"release: {inputs.release_id}")
    facts = dataclasses.replace(_facts(world, run, inputs), kept=chosen.kept)
    plan = make_plan(facts)
    if chosen.refused is not None and not plan.needed:
        raise chosen.refused  # nothing new is left to ship with another model
    if plan.needed and facts.unchanged and facts.drift and not run.force:
        _may_correct(world, facts)
    if plan.needed and not wish.dry_run:
        _open(world, run, Frozen(inputs, plan), manifests, chosen)
    return Frozen(inputs, plan)


def _newest_model(world: World, environment: str, wish: Wish) -> FrozenModel:
    """The model that is asked for. Raises Rejected when it cannot be released at all."""
    model = world.models.freeze(wish.model_version)
    demand_signature(world, environment, model)
    return model


def _open(world: World, run: Run, frozen: Frozen, manifests: dict[str, str], chosen: Chosen) -> None:
    assert frozen.inputs is not None
    if chosen.refused is not None:
        reject(world, run, "", chosen.refused)
    release = world.ledger.open_release(frozen.inputs, manifests)
    if chosen.kept:
        keep(world, run, release.id, release, chosen.kept)


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
    manifests = {path.removeprefix(f"{folder}/"): _text(world, code, path) for path in paths}
    faults = world.cluster(environment).check(manifests)
    if faults:
        listing = "".join(f"\n  - {fault}" for fault in faults)
        raise Rejected(f"the manifests in {folder}/ are refused:{listing}", advice=f"correct {folder}/", culprits=(code.tree,))
    return manifests


def _text(world: World, code: CodeVersion, path: str) -> str:
    try:
        return world.code.read(code.commit, path).decode()
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02x} at {error.start}"
        raise Rejected(
            f"{path} at {code.commit[:12]} is no text: found {found}, expected UTF-8",
            advice="store it as UTF-8, or move what is no manifest elsewhere",
            culprits=(code.tree,),
        ) from error


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
    live = world.ledger.live(run.environment)
    release = world.ledger.release(live.release_id) if live else None
    running = world.cluster(run.environment).running()
    return Facts(
        inputs=inputs,
        environment=run.environment,
        live=live,
        live_inputs=release.inputs if release else None,
        running=running,
        quarantined=tuple(world.ledger.quarantined(inputs.release_id, inputs.code.tree, inputs.model.digest, inputs.model.label)),
        hold=world.ledger.held(run.environment),
        force=run.force,
        drift=_drift(world, release, live, inputs) if release and live and running == release.id else (),
    )


def _drift(world: World, release: Release, live: Deployment, inputs: Inputs) -> tuple[str, ...]:
    """What was changed by hand since the live release was verified. It is not what the night is about where something new ships."""
    passing: tuple[type[NocturneError], ...] = (Rejected, Conflict)
    if inputs.release_id != release.id:
        passing = (*passing, Broken)
    try:
        found = tuple(world.cluster(live.environment).drift(desired_state(world.ledger, release, live)))
    except passing as error:
        # Say, a newer version of Nocturne or of the cluster is stricter than what verified it: no reason to refuse anything.
        world.log(f"what runs in {live.environment} cannot be compared with {release.id} as it was released: {error.message}")
        return ()
    for difference in found:
        world.log(f"changed by hand: {difference}")
    return found


def _may_correct(world: World, facts: Facts) -> None:
    if world.configuration.environment(facts.environment).drift is Drift.CORRECT:
        return
    listing = "".join(f"\n  - {difference}" for difference in facts.drift)
    raise Conflict(
        f"{facts.environment} runs {facts.running}, but not as it was released:{listing}",
        advice=f'undo the change by hand, bring it into the manifests, or set environments.{facts.environment}.drift = "correct"',
    )
