"""Reads handwritten digits: a Flask app that serves one ONNX model."""

import os

# Since 1.29 ONNX Runtime reports to its maker about every model it runs, unless this is set before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
