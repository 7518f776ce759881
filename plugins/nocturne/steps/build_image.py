"""Join code and model: the code image, built only if that code has none, and the model's layer on top."""

from nocturne.domain import digest
from nocturne.domain.inputs import Inputs
from nocturne.domain.records import Evidence, Release, Subject
from nocturne.ports.image_builder import CodeImageRequest
from nocturne.ports.wheel_source import WheelTarget
from nocturne.steps import release_image
from nocturne.steps.checkout import checked_out
from nocturne.steps.fetch_model import cached_files
from nocturne.steps.memory import recall, remember
from nocturne.steps.world import Outcome, Run, World

TREE_LABEL = "io.nocturne.code.tree"


def build_image(world: World, run: Run, release: Release) -> Outcome:
    """Push the release image and remember it by digest. Skipped where the registry has it already.

    It becomes the release's image only when it was tried: until then a release that is live keeps the one it has.
    """
    inputs, key = release.inputs, image_key(release)
    known = recall(world, run, Subject.IMAGE, key)
    if known and world.registry.digest(_local(world, known.details["image"])):
        return Outcome(f"the registry has {known.details['image']}", skipped=True)
    code_image = _code_image(world, run, inputs)
    files = cached_files(world, inputs.model)
    appended = world.registry.append(release_image.request(world.configuration, release, code_image, files))
    image = world.registry.full(_local(world, appended.image))
    remember(world, run, Evidence(Subject.IMAGE, key, True, run.id, "", {"image": image}))
    world.log(f"model layer: {appended.moved_bytes:,} bytes moved, {appended.present_bytes:,} bytes were in the registry already")
    return Outcome(f"pushed {image}: {appended.moved_bytes:,} bytes moved")


def image_key(release: Release) -> str:
    """What a release image is known by: everything that is in it."""
    return f"{release.id}+{release.inputs.base_digest}+{digest.of_bytes(release_image.release_json(release))}"


def _code_image(world: World, run: Run, inputs: Inputs) -> str:
    """`repository@sha256:...` of the code image."""
    key = f"{inputs.code.tree}+{inputs.base_digest}"
    repository = world.configuration.image.repository
    known = recall(world, run, Subject.CODE_IMAGE, key)
    if known and world.registry.digest(f"{repository}@{known.details['digest']}"):
        world.log(f"code image: built on {known.recorded_at[:10]} (run {known.run_id}), 0 bytes moved")
        return f"{repository}@{known.details['digest']}"
    tag = f"{repository}:code-{inputs.code.tree[:12]}-{digest.short(inputs.base_digest)}"
    found = None if run.force else _pushed_before(world, tag, inputs)
    if found is None:
        found = _build(world, inputs, tag)
    else:
        world.log(f"code image: a run that was cut off has pushed it as {tag}, 0 bytes moved")
    remember(world, run, Evidence(Subject.CODE_IMAGE, key, True, run.id, "", {"digest": found}))
    return f"{repository}@{found}"


def _pushed_before(world: World, tag: str, inputs: Inputs) -> str | None:
    """The digest behind a tag, if the image says itself that it was made from this code and this base."""
    found = world.registry.digest(tag)
    if found is None:
        return None
    labels = world.registry.labels(tag)
    expected = (inputs.code.tree, inputs.base_digest)
    return found if (labels.get(TREE_LABEL), labels.get("org.opencontainers.image.base.digest")) == expected else None


def _build(world: World, inputs: Inputs, tag: str) -> str:
    settings = world.configuration.image
    with checked_out(world, inputs.code.commit) as app:
        target = WheelTarget(settings.python, settings.platform, settings.glibc)
        world.wheels.fetch(app / "requirements.txt", target, app / "wheels", world.log)
        base = world.registry.full(inputs.base_image)
        labels = {
            TREE_LABEL: inputs.code.tree,
            "org.opencontainers.image.revision": inputs.code.commit,
            "org.opencontainers.image.base.name": world.registry.full(settings.base),
            "org.opencontainers.image.base.digest": inputs.base_digest,
        }
        world.log(f"code image: building {tag} without a network")
        built = world.builder.build(CodeImageRequest(app, base, world.registry.full(tag), labels), world.log)
    return built.rpartition("@")[2]


def _local(world: World, image: str) -> str:
    """A full reference without the registry's host."""
    return f"{world.configuration.image.repository}@{image.rpartition('@')[2]}"
