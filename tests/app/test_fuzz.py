"""Every address, asked everything that the OpenAPI document allows, and much that it forbids."""

import os
import subprocess
import sys
from pathlib import Path

from tests.app.running_app import ROOT, RunningApp

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"


def test_the_app_answers_as_its_document_says(running_app: RunningApp, tmp_path: Path) -> None:
    """Good and bad requests alike get a status, a type, headers and a body that the document promises, and never a 500."""
    # As a command: its pytest plugin reaches into pytest, and does not survive each new one.
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(CONFIGURATION)]
    run = subprocess.run(
        [*command, "run", f"{running_app.url}/openapi.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
    assert running_app.process.poll() is None
