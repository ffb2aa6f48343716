"""Digits and letters as pen strokes, in the manner of road-sign lettering: one width of pen, arcs and straight lines.

Drawing them here spares the data set a font, which would look different on every computer.
A glyph is a list of polylines, the path of the pen's centre, in a box of height 1 with y pointing down.
"""

from __future__ import annotations

import numpy as np

Point = tuple[float, float]
Path = list[Point]


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> Path:
    """Points on an ellipse around (x, y) from angle ``start`` to ``end``, in degrees; 0 is right, 90 is down."""
    angles = np.radians(np.linspace(start, end, 25))
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


_OVAL = [*arc(0.26, 0.27, 0.26, 0.27, 180, 360), *arc(0.26, 0.73, 0.26, 0.27, 0, 180), (0.0, 0.26)]

GLYPHS: dict[str, list[Path]] = {
    "0": [_OVAL],
    "1": [[(0.0, 0.2), (0.2, 0.0), (0.2, 1.0)]],
    "2": [[*arc(0.26, 0.26, 0.26, 0.26, 185, 395), (0.0, 1.0), (0.52, 1.0)]],
    "3": [[*arc(0.25, 0.24, 0.24, 0.24, 190, 450), *arc(0.25, 0.73, 0.27, 0.27, -90, 170)]],
    "5": [[(0.49, 0.0), (0.07, 0.0), (0.04, 0.47), *arc(0.25, 0.69, 0.27, 0.31, 222, 520)]],
    "8": [arc(0.26, 0.25, 0.23, 0.25, 90, 460), arc(0.26, 0.74, 0.26, 0.26, -90, 280)],
    "O": [_OVAL],
    "P": [[(0.0, 1.0), (0.0, 0.0), *arc(0.25, 0.28, 0.25, 0.28, -90, 90), (0.0, 0.56)]],
    "S": [[*arc(0.25, 0.25, 0.25, 0.25, 340, 90), *arc(0.25, 0.75, 0.25, 0.25, -80, 160)]],
    "T": [[(0.0, 0.0), (0.54, 0.0)], [(0.27, 0.0), (0.27, 1.0)]],
}


def write(text: str, height: float, gap: float, widen: float = 1.0) -> list[Path]:
    """The strokes of ``text``, centred on the origin.

    Args:
        text: characters of ``GLYPHS``.
        height: of the characters, between centres of the pen.
        gap: between neighbouring characters, as a part of the height.
        widen: stretches the characters sideways; below 1 the lettering is narrow, as three digits need.
    """
    strokes, left = [], 0.0
    for character in text:
        glyph = GLYPHS[character]
        strokes += [[(left + widen * x, y) for x, y in path] for path in glyph]
        left += widen * max(x for path in glyph for x, _ in path) + gap
    middle = (left - gap) / 2
    return [[(height * (x - middle), height * (y - 0.5)) for x, y in path] for path in strokes]
