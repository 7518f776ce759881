"""The Open Inference Protocol v2 over HTTP, so that clients of KServe and Triton work as they are.

A request brings either the model's own input tensor, or encoded image files as the input `image`, which are prepared as
those of `/v1/predict` are. It may ask for the model's own output as the model computes it, for `probabilities`, and for
`labels`, best first.

Sources: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md for the
protocol, https://github.com/triton-inference-server/server/tree/main/docs/protocol for its extensions.
"""

from app.inference.infer import inference_routes
from app.inference.metadata import inference_blueprint

__all__ = ["inference_blueprint", "inference_routes"]
