"""BentoML with two worker processes; the answer is made in the event loop, without a thread's detour."""

from typing import Any

import bentoml
from classifier import Classifier
from PIL import Image


@bentoml.service(workers=2, logging={"access": {"enabled": False}})
class Service:
    """The image in the body brings its labels."""

    def __init__(self) -> None:
        self.model = Classifier()

    @bentoml.api(route="/predict")
    async def predict(self, image: Image.Image, /) -> dict[str, Any]:
        """The body is the image itself, which BentoML opens; a file's path, its other way, costs a file."""
        return self.model.answer(image)
