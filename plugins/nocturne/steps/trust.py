"""Whether a model may be let in: what is in its files, and who signed them. All of it before anything is built with it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from nocturne.domain import digest
from nocturne.domain.code import CodeVersion
from nocturne.domain.errors import BadBlob, ConfigurationError, NotFound, Rejected
from nocturne.domain.model import FrozenModel
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.steps.memory import recall, remember
from nocturne.steps.model_content import check_content
from nocturne.steps.world import Outcome, Run, World

Opened = Callable[[], AbstractContextManager[Path]]
"""Gives a folder with the model's files for a while."""


def demand_signature(world: World, environment: str, model: FrozenModel) -> None:
    """Raises Rejected for an unsigned model where the environment demands a signature; needs none of its files."""
    demanded = world.configuration.environment(environment).signed_by
    if demanded and not model.signature:
        # To blame is the published version: the same files, signed and published again, are as good as any. So the release, which
        # would be the same one then, must not be in quarantine.
        raise BadBlob(
            f"model {model.label} is unsigned, but {environment} takes only models signed by {' or '.join(demanded)}",
            advice="publish it again under a new version's name, with `nocturne models publish --sign KEY`",
            culprits=(model.label,),
        )


def check_trust(world: World, run: Run, release: Release, opened: Opened) -> Outcome:
    """What is known of the model now, such as "signed by alice, inspected"; skipped where all of it was known before.

    Raises Rejected for a model that may not be let in, which blames the model's digest for what is in the files, and the published
    version for who signed them.
    """
    with opened() as folder:
        signature = _check_signature(world, run, release, folder)
        content = check_content(world, run, release.inputs.model, folder)
    return Outcome(f"{signature.message}, {content.message}", signature.skipped and content.skipped)


def _check_signature(world: World, run: Run, release: Release, folder: Path) -> Outcome:
    model = release.inputs.model
    demand_signature(world, run.environment, model)
    if not model.signature:
        return Outcome("unsigned", skipped=True)
    demanded = world.configuration.environment(run.environment).signed_by
    keys = _keys(world, release.inputs.code, demanded)
    if not keys:
        return Outcome("with a signature that nobody asks for", skipped=True)
    key = _evidence_key(model, keys)
    known = recall(world, run, Subject.SIGNATURE, key)
    if known and known.passed:
        return Outcome(f"signed by {known.details['signer']}", skipped=True)
    signer, refusal = _verified(world, release, folder, keys)
    details = {"signer": signer, "faults": [refusal.message] if refusal else []}
    remember(world, run, Evidence(Subject.SIGNATURE, key, not refusal, run.id, "", details))
    if not refusal:
        return Outcome(f"signed by {signer}")
    if not demanded:
        world.log(f"warning: {refusal.message}")
        return Outcome("with a signature that does not hold")
    # To blame is the published version, never its files or the release: whoever may write to the store can put any signature beside
    # good files, and these, signed and published again, must not be refused for it.
    raise BadBlob(f"{model.label}: {refusal.message}", advice=refusal.advice, culprits=(model.label,)) from refusal


def _verified(world: World, release: Release, folder: Path, keys: dict[str, bytes]) -> tuple[str, Rejected | None]:
    model = release.inputs.model
    try:
        return world.signatures.verify(folder, tuple(file.path for file in model.files), model.signature, keys), None
    except Rejected as error:
        return "", error
    except ConfigurationError as error:
        raise Rejected(error.message, advice=error.advice, culprits=(release.inputs.code.tree,)) from error


def _keys(world: World, code: CodeVersion, demanded: tuple[str, ...]) -> dict[str, bytes]:
    """The public keys at the frozen commit: of those one of whom must sign, or where nobody must, of everybody known."""
    paths = {name: path for name, path in world.configuration.signers.items() if not demanded or name in demanded}
    try:
        return {name: world.code.read(code.commit, path) for name, path in paths.items()}
    except NotFound as error:
        message = f"a public key of [signers] is missing: {error.message}"
        raise Rejected(message, advice="commit it, or correct [signers] in release.toml", culprits=(code.tree,)) from error


def _evidence_key(model: FrozenModel, keys: dict[str, bytes]) -> str:
    of_keys = digest.of_json({name: digest.of_bytes(content) for name, content in keys.items()})
    return "+".join((model.digest, digest.of_bytes(model.signature.encode()), of_keys))
