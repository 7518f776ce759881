"""Nocturne: every night, the latest tested code with the latest good model is in production, or nothing changes."""

__version__ = "0.1.0"
