"""What the benchmarks take on their command lines."""

import argparse


def positive(text: str) -> int:
    """A whole number from 1. Raises ArgumentTypeError, which argparse tells."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number from 1")
    return int(text)
