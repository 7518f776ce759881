"""Starting the inspecting process, and what its end means."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from nocturne.adapters.onnx_inspector.ending import Ending, faults_of
from nocturne.adapters.onnx_inspector.watching import watch
from nocturne.domain.errors import Broken
from nocturne.domain.model import safe_path
from nocturne.ports.model_inspector import InspectionLimits, ModelInspector

_PROGRAM = Path(__file__).with_name("program.py")
_OUTPUT_BYTES = 256 * 1024


class OnnxInspector(ModelInspector):
    """program: the Python file that inspects; see `program.py`."""

    def __init__(self, program: Path = _PROGRAM) -> None:
        self._program = program

    def faults(self, folder: Path, model: str, limits: InspectionLimits) -> list[str]:
        """See the port. Links in the folder itself are taken for the files they lead to: whoever made the folder put them there."""
        if not safe_path(model):
            return [f"{model!r} is no path in the model's folder"]
        if fault := _file_fault(folder / model):
            return [f"{model!r} {fault}"]
        with _mirror(folder, model) as scratch:
            return faults_of(self._run(scratch / "model" / model, scratch, limits), limits)

    def _run(self, model: Path, scratch: Path, limits: InspectionLimits) -> Ending:
        # -I: neither the variables nor the folders of this process; -B: no byte code, for it may not write any file.
        command = [sys.executable, "-I", "-B", str(self._program), str(model), str(limits.seconds), str(limits.memory_bytes)]
        try:
            process = subprocess.Popen(
                command,
                cwd=scratch,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise Broken(f"the inspection cannot be started: {error}", advice="look at this worker's memory and Python") from error
        return watch(process, 2 * limits.seconds, _OUTPUT_BYTES)


def _file_fault(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    return "" if stat.S_ISREG(mode) else "is no file"


@contextmanager
def _mirror(folder: Path, model: str) -> Iterator[Path]:
    """A scratch folder with a link to the model, and an empty file of the same size for each of the model's other files.

    onnx wants external content in plain files, which a cache's are not, but only looks whether they are there. So none of them is
    within reach of the inspecting process.
    """
    try:
        with TemporaryDirectory(prefix="inspection-") as scratch:
            for place, _, names in os.walk(folder):
                there = Path(scratch) / "model" / Path(place).relative_to(folder)
                there.mkdir(parents=True)
                for name in names:
                    _stand_in(Path(place, name), there / name)
            (Path(scratch) / "model" / model).unlink()
            (Path(scratch) / "model" / model).symlink_to((folder / model).resolve())
            yield Path(scratch)
    except OSError as error:
        raise Broken(f"the inspection cannot be prepared: {error}", advice="look at the disk of this worker") from error


def _stand_in(source: Path, target: Path) -> None:
    if source.is_file():
        target.touch()
        os.truncate(target, source.stat().st_size)
