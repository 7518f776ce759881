"""`python -m app.evaluate --model DIR --golden FILE`: judges a model as the app would serve it.

Prints one JSON object and exits with 0 when it could judge, whatever the verdict.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import orjson

from app.golden_set import GoldenSetError, Sample, read_golden_set
from app.images import open_base64
from app.model import Model, ModelError, load_model
from app.promises import answer_faults


@dataclass(frozen=True)
class Verdict:
    """What was found out about a model: broken promises, or how right, how fast and how large it is.

    memory_mb: the most that this process ever had in memory, in units of 1,000,000 bytes.
    """

    samples: int
    faults: list[str]
    accuracy: float | None = None
    answers: list[str] = field(default_factory=list)
    latency_ms: dict[str, float | None] = field(default_factory=lambda: {"p50": None, "p99": None})
    memory_mb: float | None = None


def judge(folder: Path, samples: Sequence[Sample]) -> Verdict:
    """Load the model in `folder` as the app does and let it answer every sample, one by one."""
    try:
        return _judge(load_model(folder), samples)
    except ModelError as error:
        return Verdict(len(samples), error.faults)


def _judge(model: Model, samples: Sequence[Sample]) -> Verdict:
    answers, times = [], []
    for sample in samples:
        started = time.perf_counter()
        answer = _answer(model, sample)
        times.append((time.perf_counter() - started) * 1000)
        answers.append(answer)
    right = sum(answer == sample.label for answer, sample in zip(answers, samples, strict=True))
    p50, p99 = (round(float(value), 3) for value in np.percentile(times, [50, 99]))
    return Verdict(len(samples), [], right / len(samples), answers, {"p50": p50, "p99": p99}, _memory_mb())


def _answer(model: Model, sample: Sample) -> str:
    try:
        probabilities = model.probabilities([open_base64(sample.image)])
    except Exception as error:
        # The golden images are known to be good, and the runtime's errors share no base class of their own.
        raise ModelError([f"the model fails on {sample.id}: {error}"]) from error
    faults = answer_faults(probabilities, model.card)
    if faults:
        raise ModelError([f"on {sample.id}: {fault}" for fault in faults])
    return model.card.labels[int(probabilities.argmax())]


def _memory_mb() -> float:
    # Linux counts what the parent had into getrusage's figure, and a worker may well be larger than a model.
    # https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(peak) * 1024 / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge as the command line says, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.evaluate", description="Judge a model on a golden set.")
    parser.add_argument("--model", type=Path, required=True, help="folder with model.json and the ONNX file")
    parser.add_argument("--golden", type=Path, required=True, help="file with the golden set")
    told = parser.parse_args(arguments)
    try:
        samples = read_golden_set(told.golden)
    except GoldenSetError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(orjson.dumps(asdict(judge(told.model, samples)), option=orjson.OPT_APPEND_NEWLINE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
