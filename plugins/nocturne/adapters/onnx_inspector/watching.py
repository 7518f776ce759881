"""Waiting for a process that may do anything: it is given so long, may say so much, and leaves nothing behind."""

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

from nocturne.adapters.onnx_inspector.ending import Ending


def watch(process: subprocess.Popen[bytes], seconds: float, output_bytes: int) -> Ending:
    """Read what it says until it ends, the time is up, or it says too much; then end its whole group."""
    assert process.stdout is not None
    output, late = bytearray(), True
    deadline = time.monotonic() + seconds
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0 and len(output) <= output_bytes:
                if not selector.select(left):
                    break
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    late = not _ended(process, deadline)
                    break
                output += chunk
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    flooded = len(output) > output_bytes
    return Ending(None if late or flooded else process.returncode, bytes(output[:output_bytes]), flooded)


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True
