"""Telling a pickle by what is in it. Loading one runs whatever code it names, so none may be part of a model, whatever its name.

https://docs.python.org/3/library/pickle.html says so in its first warning; the format is in the library's pickletools.
"""

import pickletools
from io import BytesIO
from pathlib import Path

_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".ckpt"})
_HEAD_BYTES, _TAIL_BYTES = 256 * 1024, 64 * 1024
_IMPORTS = frozenset({"GLOBAL", "INST", "STACK_GLOBAL"})
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_MANY = 8  # instructions in a row that random bytes do not make


def is_pickle(file: Path, name: str) -> bool:
    """Whether a file is a pickle, or an archive of one as torch.save writes it. name: what the model calls it.

    It reads the file's two ends only. Compressed pickles are known by their name alone.
    """
    suffixes = {suffix.lower() for suffix in Path(name).suffixes}
    if suffixes & _SUFFIXES:
        return True
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        tail = stream.read(_TAIL_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return b".pkl" in head or b".pkl" in tail  # names stand before each file, and once more at the archive's end
    if head.startswith(b"\x93NUMPY"):
        # An array of Python objects: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
        return b"'descr': '|O'" in head[:1024]
    return _runs_as_pickle(head)


def _runs_as_pickle(head: bytes) -> bool:
    names: list[str] = []
    try:
        for instruction, _, _ in pickletools.genops(BytesIO(head)):
            names.append(instruction.name)
            if len(names) > 100_000:
                break
    except Exception:
        # Cut off, or no pickle: what was read until then decides.
        pass
    ended = names[-1:] == ["STOP"]
    if names[:1] == ["PROTO"] and head[1] in range(2, 6):
        return ended or len(names) >= _MANY
    # Before protocol 2 a pickle has no mark, and some texts are valid ones: it must do harm to count.
    return ended and not _IMPORTS.isdisjoint(names) and not _CALLS.isdisjoint(names)
