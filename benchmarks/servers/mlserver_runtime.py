"""A runtime of MLServer's own kind: one BYTES input with the image, in the Open Inference Protocol."""

from classifier import Classifier
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Runtime(MLModel):
    """The image brings its labels, best first, and their probabilities."""

    async def load(self) -> bool:
        """Once in each worker process."""
        self.model = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The labels of the first image."""
        (content,) = self.decode(payload.inputs[0])
        best = self.model.classify(content)
        labels = StringCodec.encode_output("labels", [item["label"] for item in best])
        numbers = ResponseOutput(
            name="probabilities", shape=[len(best)], datatype="FP32", data=[item["probability"] for item in best]
        )
        return InferenceResponse(model_name=self.name, outputs=[labels, numbers])
