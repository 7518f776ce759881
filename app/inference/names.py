"""How the protocol calls what this app has."""

IMAGE = "image"
"""The input of encoded image files."""

PROBABILITIES = "probabilities"
LABELS = "labels"
"""Outputs that are made of the model's own."""

BASE64 = "base64"
"""The content type (MLServer's word) of elements that are not sent as they are."""

BYTES = "BYTES"
FLOAT = "FP32"
TYPES = {"float32": FLOAT, "uint8": "UINT8"}
"""The card's types of tensors."""

UNVERSIONED = "1"
"""The model's version outside a release: what Triton calls a first one."""

EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository")
