"""Run the app's own evaluation: frozen code, in its own environment, with a model, on the golden set of that code."""

import json

from nocturne.domain.errors import Rejected
from nocturne.domain.golden import GoldenSet, parse_golden_set
from nocturne.domain.inputs import Inputs
from nocturne.domain.judgement import Judgement
from nocturne.ports.app_environment import Finished
from nocturne.steps.checkout import checked_out
from nocturne.steps.fetch_model import model_folder
from nocturne.steps.world import World

_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "Failed to allocate memory")
_KILLED = (-9, 137)
"""By SIGKILL, itself or as a shell says it. Nobody but the kernel, out of memory, ends an evaluation so."""


def judgement_key(inputs: Inputs) -> str:
    """What a judgement is about: this code with this model."""
    return f"{inputs.code.tree}+{inputs.model.digest}"


def golden_set(world: World, inputs: Inputs) -> GoldenSet:
    """The golden set of the frozen code. Raises Rejected, to blame on that code."""
    path = world.configuration.judge.golden
    try:
        return parse_golden_set(world.code.read(inputs.code.commit, path), f"{path} at {inputs.code.commit[:12]}")
    except Rejected as error:
        raise error.blaming(inputs.code.tree) from error


def evaluate(world: World, inputs: Inputs, golden: GoldenSet) -> Judgement:
    """What the app's evaluation finds; a failed one where it does not get to an end. world: configured as at the inputs' commit.

    Raises Rejected when the app's environment cannot be made, BadBlob and BlobChanged when the model cannot be had.
    """
    gates = world.configuration.judge
    with checked_out(world, inputs.code.commit) as app, model_folder(world, inputs.model) as folder:
        places = {"{model}": str(folder), "{golden}": str(app / gates.golden)}
        command = [places.get(word, word) for word in gates.command]
        finished = world.environment.run(
            app, command, timeout=gates.timeout_seconds, log=lambda line: None, memory_bytes=_allowed_bytes(gates.max_memory_mb)
        )
    if finished.exit_code != 0:
        tail = "".join(f"\n    {line}" for line in (finished.output + finished.errors).splitlines()[-20:])
        why = _ending(finished, gates.timeout_seconds, gates.max_memory_mb)
        return Judgement.failed(f"the app could not evaluate model {inputs.model.version}: {why}{tail}", golden)
    return _parse(finished.output, golden)


def _allowed_bytes(memory_mb: int) -> int:
    # More is allocated than is ever in memory, stacks of threads above all. This only protects the worker; the gate judges.
    return (2 * memory_mb + 500) * 1_000_000


def _ending(finished: Finished, timeout: int, memory_mb: int) -> str:
    if finished.exit_code is None:
        return f"no end after {timeout} s"
    if finished.exit_code in _KILLED or any(sign in finished.errors for sign in _OUT_OF_MEMORY):
        return f"it ran out of memory (exit code {finished.exit_code}); judge.max_memory_mb allows {memory_mb} MB"
    return f"exit code {finished.exit_code}"


def _parse(output: str, golden: GoldenSet) -> Judgement:
    try:
        return Judgement.from_evaluation(json.loads(output.strip().splitlines()[-1]), golden)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        found = f"the app's evaluation printed no judgement ({type(error).__name__}: {error}): {output[-300:]!r}"
        expected = "its last line must be the JSON object that docs/configuration.md describes"
        return Judgement.failed(f"{found}; {expected}", golden)
