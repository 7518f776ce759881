"""Digits as a hand draws them: strokes of points (x, y), from 0 to 1 across the pad, y downwards."""

import math

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, wide: float, tall: float, start: float, end: float) -> Stroke:
    """Points of an ellipse around (x, y), from the angle `start` to `end`: in degrees, 0 on the right, 90 at the bottom."""
    angles = [math.radians(start + (end - start) * step / 24) for step in range(25)]
    return [(x + wide * math.cos(angle), y + tall * math.sin(angle)) for angle in angles]


DIGITS: dict[str, list[Stroke]] = {
    "0": [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
    "1": [[(0.42, 0.32), (0.52, 0.2), (0.52, 0.8)]],
    "2": [[*arc(0.5, 0.36, 0.17, 0.16, -170, 30), (0.34, 0.78), (0.68, 0.78)]],
    "3": [arc(0.48, 0.35, 0.16, 0.15, -150, 90) + arc(0.48, 0.65, 0.18, 0.15, -90, 150)],
    "4": [[(0.5, 0.2), (0.3, 0.58), (0.7, 0.58)], [(0.58, 0.4), (0.56, 0.82)]],
    "5": [[(0.66, 0.22), (0.4, 0.22), (0.37, 0.47), *arc(0.48, 0.62, 0.17, 0.17, -120, 140)]],
    "6": [[(0.6, 0.2), (0.45, 0.35), (0.36, 0.55), *arc(0.5, 0.64, 0.15, 0.16, 180, -180)]],
    "7": [[(0.33, 0.22), (0.66, 0.22), (0.45, 0.8)], [(0.4, 0.5), (0.62, 0.5)]],
    "8": [arc(0.5, 0.35, 0.13, 0.14, 90, 450) + arc(0.5, 0.65, 0.16, 0.16, -90, 270)],
    "9": [[*arc(0.49, 0.36, 0.14, 0.15, 0, -360), (0.62, 0.5), (0.58, 0.8)]],
}
