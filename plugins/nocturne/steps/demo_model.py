"""Be the data scientist once: train the app's own model, where the store has none for a first night."""

import shutil

from nocturne.domain.errors import Broken
from nocturne.domain.model import ModelManifest
from nocturne.steps.checkout import checked_out
from nocturne.steps.publish_model import publish_model
from nocturne.steps.world import World

_SECONDS = 600


def publish_demo_model(world: World) -> ModelManifest | None:
    """Train at the commit that a night would freeze, and publish. None where the store has a model already.

    Raises Broken when the training fails, and what publishing raises.
    """
    if world.models.versions(1):
        return None
    code = world.code.resolve(world.configuration.code.ref)
    with checked_out(world, code.commit) as app:
        folder = app.parent / "trained"
        command = ["python", "-m", "app.training", "--out", str(folder)]
        finished = world.environment.run(app, command, timeout=_SECONDS, log=lambda line: None)
        if finished.exit_code != 0:
            tail = (finished.output + finished.errors)[-2000:]
            raise Broken(f"training the demo model failed with exit code {finished.exit_code}:\n{tail}", advice="run it by hand")
        manifest = publish_model(world.models, folder, None, world.clock, lambda moved: None)
        shutil.rmtree(folder)
    return manifest
