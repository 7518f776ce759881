"""The reference page's commands and programs, as a reader would paste them."""

import html
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.app.running_app import RunningApp

SNIPPET = re.compile(r"<pre[^>]*><code[^>]*>(.*?)</code></pre>", re.DOTALL)


def test_every_command_on_the_page_works(running_app: RunningApp, tmp_path: Path) -> None:
    """Each is answered by 200; those that bring the example's image, with its label."""
    commands = [snippet for snippet in _snippets(running_app) if "curl " in snippet]
    answers = [_run(["sh", "-c", command.replace("curl ", "curl --silent --show-error --fail ")], tmp_path) for command in commands]
    assert len(commands) == sum(len(item.keys() & {"get", "post"}) for item in _document(running_app)["paths"].values())
    best = [json.loads(answer) for command, answer in zip(commands, answers, strict=True) if "iVBORw0KGgo" in command]
    assert best[0]["predictions"][0]["labels"][0]["label"] == "5"
    assert best[1]["result"][0][0][0][0] == "5"
    assert [answer["outputs"][0]["data"][0] for answer in best[2:]] == ["5", "5"]


def test_every_program_on_the_page_works(running_app: RunningApp, tmp_path: Path) -> None:
    """Saved image, `requests` and `tritonclient`, one after the other."""
    snippets = _snippets(running_app)
    _run(["sh", "-c", next(snippet for snippet in snippets if snippet.startswith("echo ") and "curl" not in snippet)], tmp_path)
    told = [_run([sys.executable, "-c", snippet], tmp_path) for snippet in snippets if snippet.startswith("import ")]
    assert len(told) == 2
    assert "'label': '5'" in told[0]
    assert told[1].startswith("[[b'5'")


def _snippets(app: RunningApp) -> list[str]:
    with urllib.request.urlopen(f"{app.url}/docs", timeout=60) as answer:
        return [html.unescape(found) for found in SNIPPET.findall(answer.read().decode())]


def _document(app: RunningApp) -> Any:
    with urllib.request.urlopen(f"{app.url}/openapi.json", timeout=60) as answer:
        return json.load(answer)


def _run(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
