"""A look into an ONNX file, in a process of its own with limits."""

from nocturne.adapters.onnx_inspector.inspector import OnnxInspector

__all__ = ["OnnxInspector"]
