"""The app, except that the image `sleep 5` takes 5 seconds to open, and `exit` ends the worker."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

import app.predictor
from app.__main__ import main

opens = app.predictor.open_image


def open_slowly(content: bytes) -> Image.Image:
    if content.startswith(b"sleep "):
        time.sleep(float(content.removeprefix(b"sleep ")))
    if content == b"exit":
        os._exit(3)
    return opens(content)


app.predictor.open_image = open_slowly
sys.exit(main())
