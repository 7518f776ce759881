"""The outputs of an answer: the model's own, and what is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.card import Card
from app.exchange import Answer
from app.inference.json_fields import short
from app.inference.names import LABELS, PROBABILITIES
from app.inference.request import HEADER_LENGTH, InferenceRequest, WantedOutput
from app.inference.tensors import Tensor
from app.problems import Problem


@dataclass(frozen=True, slots=True)
class Computed:
    """What the model made of the inputs, a row for each image. raw: as the model answers."""

    raw: NDArray[np.float32]
    probabilities: NDArray[np.float64]


class Outputs:
    """How one model's answers are told."""

    def __init__(self, card: Card, version: str) -> None:
        self._card = card
        self._version = version

    def wanted(self, request: InferenceRequest) -> list[WantedOutput]:
        """Return the outputs to answer with; raises Problem (400) where the model has no such."""
        known = dict.fromkeys((self._card.output.name, PROBABILITIES, LABELS))
        labels = len(self._card.labels)
        for output in request.outputs:
            if output.name not in known:
                raise Problem(400, f"found the output {short(output.name)}; expected one of {', '.join(known)}")
            if (output.classification or 0) > labels:
                found = f"output {short(output.name)} asks for {short(output.classification)} classes"
                raise Problem(400, f"{found}; expected at most {labels}, as many as the model has labels")
        return request.outputs or [WantedOutput(self._card.output.name, request.binary, None)]

    def answer(self, identity: str | None, wanted: Sequence[WantedOutput], computed: Computed) -> Answer:
        """Return the answer with the wanted outputs. identity: the request's id."""
        told, contents = [], []
        for output in wanted:
            tensor = self._tensor(output, computed)
            if output.binary:
                described, content = tensor.in_bytes()
                contents.append(content)
            else:
                described = tensor.in_json()
            told.append(described)
        answer = {"model_name": self._card.name, "model_version": self._version, "outputs": told}
        if identity is not None:
            answer["id"] = identity
        header = orjson.dumps(answer)
        if not contents:
            return Answer(header)
        length = ((HEADER_LENGTH, str(len(header))),)
        return Answer(b"".join([header, *contents]), 200, "application/octet-stream", length)

    def _tensor(self, output: WantedOutput, computed: Computed) -> Tensor:
        # The model's own output goes first, whatever its name.
        own = output.name == self._card.output.name
        values: NDArray[Any] = computed.raw if own else computed.probabilities
        plain = output.name == LABELS and not own
        if not plain and output.classification is None:
            return Tensor(output.name, values.shape, values.astype(np.float32, copy=False))
        best = (-values).argsort(axis=1, kind="stable")[:, : output.classification]
        shown = self._label if plain else self._class
        texts = [
            shown(row, index) for row, order in zip(values.tolist(), best.tolist(), strict=True) for index in order
        ]
        return Tensor(output.name, best.shape, texts)

    def _label(self, _: Sequence[float], index: int) -> str:
        return self._card.labels[index]

    def _class(self, row: Sequence[float], index: int) -> str:
        """Return a class as the extension `classification` writes it; Triton's own numbers have six places too."""
        return f"{row[index]:f}:{index}:{self._card.labels[index]}"
