"""The app's code in a git repository, near or far."""

from nocturne.adapters.git.code_source import GitCodeSource

__all__ = ["GitCodeSource"]
