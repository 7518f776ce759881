"""What the end of an inspecting process means."""

import signal

import pytest

from nocturne.adapters.onnx_inspector.ending import Ending, faults_of, plain
from nocturne.domain.errors import Broken
from nocturne.ports.model_inspector import InspectionLimits

READY = b'{"ready": true}\n'
LIMITS = InspectionLimits(seconds=10, memory_bytes=10**9)


def test_a_verdict() -> None:
    """The faults of a process that ended well are the model's; none is a pass."""
    assert faults_of(Ending(0, READY + b'{"faults": []}\n'), LIMITS) == []
    assert faults_of(Ending(0, READY + b'{"faults": ["a", "b"]}\n'), LIMITS) == ["a", "b"]


@pytest.mark.parametrize(
    "words", [b"", b"[]", b"{}", b'{"faults": {}}', b'{"faults": null}', b"[" * 100_000, b"\xff", b'{"ready": true}']
)
def test_anything_else_is_no_pass(words: bytes) -> None:
    """Whatever a process says instead of a verdict, the model has not passed."""
    assert faults_of(Ending(0, READY + words), LIMITS) == ["the inspection ended with exit code 0 and no verdict"]


@pytest.mark.parametrize(
    ("ending", "fault"),
    [
        (Ending(None, READY), "took longer than 20 s"),
        (Ending(-signal.SIGALRM, READY), "took longer than 20 s"),
        (Ending(-signal.SIGXCPU, READY), "needed more than 10 s of processor time"),
        (Ending(-signal.SIGSEGV, READY + b'{"faults": []}'), "crashed with SIGSEGV"),
        (Ending(-63, READY), "crashed with signal 63"),
        (Ending(7, READY + b'{"faults": []}'), "ended with exit code 7 and no verdict"),
        (Ending(None, READY, flooded=True), "said more than there can be to say"),
    ],
)
def test_each_bad_end_has_its_own_words(ending: Ending, fault: str) -> None:
    """An end that is not a verdict is a fault of the model, and says what happened."""
    assert faults_of(ending, LIMITS) == [f"the inspection {fault}"]


@pytest.mark.parametrize("output", [b"", b"ImportError: no onnx\n", b'{"faults": []}\n', b'{"ready": 1}\n'])
def test_a_process_that_was_not_ready(output: bytes) -> None:
    """A process that never came to look at the model says nothing about it."""
    with pytest.raises(Broken, match="did not start"):
        faults_of(Ending(0, output), LIMITS)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_from_outside(number: int) -> None:
    """Nor does one that the machine ended."""
    with pytest.raises(Broken, match="ended from outside"):
        faults_of(Ending(-number, READY), LIMITS)


def test_faults_are_cut_and_cleaned() -> None:
    """A stranger's words become one short line each, and not many of them."""
    assert plain("a\x1b[31m\n\tb\x00\u202ec") == "a [31m b c"
    assert len(plain("x" * 10_000)) == 300
    assert len(faults_of(Ending(0, READY + b'{"faults": [' + b'"x",' * 999 + b'"x"]}'), LIMITS)) == 30
