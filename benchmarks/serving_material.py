"""What the servers of benchmarks/serving.py share: their environments, the two models, and an image for each."""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import resnet50
from serving_catalogue import SERVERS_FOLDER, Server
from serving_process import CLONE
from uv import find_uv_bin

from nocturne.domain.errors import Broken
from nocturne.sandbox.progress import Report

CACHE = CLONE / ".nocturne" / "benchmark-serving"
"""Where environments stay from one benchmark to the next."""

_IMAGES = """
import base64, io, sys
import numpy
from PIL import Image
golden = Image.open(io.BytesIO(base64.b64decode(sys.argv[1])))
golden.resize((28, 28), Image.Resampling.BICUBIC).save(sys.argv[2] + "/digit.png")
# Smooth, as photographs are: noise would cost a decoder more.
coarse = numpy.random.default_rng(0).integers(0, 256, (14, 14, 3), numpy.uint8)
Image.fromarray(coarse).resize((224, 224), Image.Resampling.BICUBIC).save(sys.argv[2] + "/photo.jpg", quality=90)
"""


@dataclass(frozen=True)
class Material:
    """A model's folder, and an image of the size that its users send."""

    model: Path
    image: bytes
    kind: str


def version(python: str) -> str:
    """What a Python says of itself, with its compiler and its build. Raises Broken."""
    try:
        return subprocess.run(
            [python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Broken(f"found no Python that runs at {python}: {error}", advice="name one with --python") from error


def environment(server: Server, base: str, report: Report) -> Path:
    """The Python of a server's environment, which is made of `base` once for each list of packages. Raises Broken."""
    listed = SERVERS_FOLDER / f"{server.environment}.txt" if server.environment else CLONE / "app" / "requirements.txt"
    digest = hashlib.sha256(listed.read_bytes() + version(base).encode()).hexdigest()[:12]
    folder = CACHE / f"{server.environment or 'app'}-{digest}"
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        report.working(server.title, "making its environment")
        _uv("venv", "--clear", "--python", base, str(folder))
        _uv("pip", "install", "--compile-bytecode", "--python", str(python), "--requirements", str(listed))
        made.touch()
    return python


def materials(home: Path, report: Report) -> dict[str, Material]:
    """By the model's name: the demo's digits, trained here, and a ResNet-50 with random weights. Raises Broken."""
    report.working("models", "training the demo model, making a ResNet-50")
    digits, large = home / "digits", home / "resnet50"
    _in_app("-m", "app.training", "--out", str(digits))
    resnet50.write(large)
    golden = json.loads((CLONE / "app" / "golden" / "digits.json").read_text())["samples"][0]["image"]
    _in_app("-c", _IMAGES, golden, str(home))
    return {
        "digits": Material(digits, (home / "digit.png").read_bytes(), "image/png"),
        "resnet50": Material(large, (home / "photo.jpg").read_bytes(), "image/jpeg"),
    }


def _in_app(*words: str) -> None:
    """Run Python as the app's developers have it."""
    _uv("run", "--frozen", "--project", str(CLONE / "app"), "python", *words)


def _uv(*words: str) -> None:
    variables = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(CLONE / ".nocturne" / "benchmark-app"), "UV_PYTHON_DOWNLOADS": "never"}
    command = [find_uv_bin(), words[0], "--quiet", *words[1:]]
    done = subprocess.run(command, env=variables, cwd=CLONE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"`uv {' '.join(words[:2])}` failed: {done.stderr[-2000:]}")
