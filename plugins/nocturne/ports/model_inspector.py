"""Looking into a model's files before anything loads them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InspectionLimits:
    """What an inspection may use. seconds: of processor time, and twice as many of the clock's. memory_bytes: address space."""

    seconds: int = 60
    memory_bytes: int = 4 * 1024**3


class ModelInspector(ABC):
    """Inspects a model in a process of its own, with limits, so that a hostile file hurts nobody."""

    @abstractmethod
    def faults(self, folder: Path, model: str, limits: InspectionLimits) -> list[str]:
        """What is structurally wrong with an ONNX model, in sentences; empty when nothing is.

        model: path in the folder. An inspection that exceeds its limits or crashes is a fault of the model. Raises Broken when the
        inspecting process cannot be started.
        """
