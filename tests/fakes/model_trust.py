from pathlib import Path

from nocturne.domain.errors import Rejected
from nocturne.ports.model_inspector import InspectionLimits, ModelInspector
from nocturne.ports.model_signatures import ModelSignatures


class FakeModelSignatures(ModelSignatures):
    """A signature is the key's name and the names and contents of the files; anybody can forge it."""

    def sign(self, folder: Path, paths: tuple[str, ...], key: Path, password: str = "") -> str:
        return f"{key.read_text()}: {_read(folder, paths)}"

    def verify(self, folder: Path, paths: tuple[str, ...], signature: str, keys: dict[str, bytes]) -> str:
        signer, _, content = signature.partition(": ")
        for name, key in keys.items():
            if key.decode() == signer:
                if content == _read(folder, paths):
                    return name
                raise Rejected("the model was changed after it was signed")
        raise Rejected("somebody else signed the model")


class FakeModelInspector(ModelInspector):
    """Finds what `found` says, and remembers what it looked at."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.looked_at: list[str] = []

    def faults(self, folder: Path, model: str, limits: InspectionLimits) -> list[str]:
        assert (folder / model).is_file()
        self.looked_at.append(model)
        return self.found


def _read(folder: Path, paths: tuple[str, ...]) -> str:
    return repr([(path, (folder / path).read_bytes()) for path in sorted(paths)])
