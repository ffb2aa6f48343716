"""The faces of sixteen road signs, drawn as vector art: what a sign looks like from the front, clean, in full light.

Three families of four, red rings with numbers, red triangles with pictograms and blue discs with arrows, in which only
the detail tells the signs apart; and four signs with a shape of their own. Coordinates are those of the sign: the
origin in its middle, x to the right, y down, the rim of a round sign at radius 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from seminar_lib.data.signs.lettering import Path, Point, arc, write

EXTENT = 1.1  # a face shows the square from -EXTENT to EXTENT: a rim of air keeps the edge smooth when it is turned
_SUPERSAMPLE = 4

_RED, _BLUE, _YELLOW = (196, 24, 32), (12, 76, 160), (250, 192, 20)
_WHITE, _BLACK = (244, 244, 240), (18, 18, 20)
Colour = tuple[int, int, int]


class _Drawing:
    """A square picture that is drawn on in the sign's coordinates."""

    def __init__(self, size: int) -> None:
        self.image = Image.new("RGBA", (size * _SUPERSAMPLE,) * 2)
        self._draw = ImageDraw.Draw(self.image)
        self._unit = self.image.width / (2 * EXTENT)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [((x + EXTENT) * self._unit, (y + EXTENT) * self._unit) for x, y in points]

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon(self._pixels(points), fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        self._draw.ellipse(self._pixels([(x - radius, y - radius), (x + radius, y + radius)]), fill=colour)

    def stroke(self, path: Path, width: float, colour: Colour, round_ends: bool = False) -> None:
        for (x0, y0), (x1, y1) in pairwise(path):
            reach = width / 2 / float(np.hypot(x1 - x0, y1 - y0))
            dx, dy = reach * (y0 - y1), reach * (x1 - x0)  # across the segment
            self.polygon([(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], colour)
        for x, y in path if round_ends else path[1:-1]:
            self.disc(x, y, width / 2, colour)

    def rounded(self, corners: Sequence[Point], radius: float, colour: Colour) -> None:
        """A polygon whose corners are rounded outwards by ``radius``."""
        self.polygon(corners, colour)
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            self.stroke([start, end], 2 * radius, colour, round_ends=True)

    def arrow(self, path: Path, width: float, head: float, colour: Colour) -> None:
        """A stroke along ``path`` whose end carries a head of length ``head``, pointing on from there."""
        (x0, y0), (x, y) = path[-2:]
        length = float(np.hypot(x - x0, y - y0))
        ux, uy = (x - x0) / length, (y - y0) / length
        self.stroke(path, width, colour)
        tip, wing = (x + head * ux, y + head * uy), 0.8 * head
        self.polygon([tip, (x - wing * uy, y + wing * ux), (x + wing * uy, y - wing * ux)], colour)


Painter = Callable[[_Drawing], None]


def _limit(number: str) -> Painter:
    """A red ring with a number in it; three digits are narrower than two."""
    gap, widen, pen = (0.34, 0.95, 0.20) if len(number) == 2 else (0.26, 0.66, 0.17)

    def draw(d: _Drawing) -> None:
        for radius, colour in ((1, _WHITE), (0.97, _RED), (0.80, _WHITE)):
            d.disc(0, 0, radius, colour)
        for path in write(number, height=0.84, gap=gap, widen=widen):
            d.stroke(path, pen, _BLACK)

    return draw


def _stop(d: _Drawing) -> None:
    for radius, colour in ((1.05, _WHITE), (0.98, _RED)):
        d.polygon([(radius * np.cos(turn), radius * np.sin(turn)) for turn in np.pi / 8 * np.arange(1, 16, 2)], colour)
    for path in write("STOP", height=0.56, gap=0.34, widen=0.70):
        d.stroke(path, 0.14, _WHITE)


def _triangle(scale: float, up: int) -> list[Point]:
    """An equilateral triangle that points up (``up`` 1) or down (-1), its base 2 ``scale`` wide."""
    height = np.sqrt(3) * scale
    middle = 0.22  # its centroid sits below the middle of the sign, so that its three corners fit the picture
    return [
        (0, up * (middle - height * 2 / 3)),
        (scale, up * (middle + height / 3)),
        (-scale, up * (middle + height / 3)),
    ]


def _yield(d: _Drawing) -> None:
    for scale, radius, colour in ((0.90, 0.10, _WHITE), (0.88, 0.09, _RED), (0.56, 0.02, _WHITE)):
        d.rounded(_triangle(scale, up=-1), radius, colour)


def _priority(d: _Drawing) -> None:
    for radius, colour in ((1.0, _BLACK), (0.97, _WHITE), (0.70, _BLACK), (0.67, _YELLOW)):
        d.rounded([(0, -radius), (radius, 0), (0, radius), (-radius, 0)], 0.05, colour)


def _no_entry(d: _Drawing) -> None:
    d.disc(0, 0, 1, _WHITE)
    d.disc(0, 0, 0.97, _RED)
    d.polygon([(-0.72, -0.19), (0.72, -0.19), (0.72, 0.19), (-0.72, 0.19)], _WHITE)


def _warning(pictogram: Painter) -> Painter:
    """A red triangle with a black pictogram."""

    def draw(d: _Drawing) -> None:
        for scale, radius, colour in ((0.90, 0.10, _WHITE), (0.88, 0.09, _RED), (0.68, 0.04, _WHITE)):
            d.rounded(_triangle(scale, up=1), radius, colour)
        pictogram(d)

    return draw


def _pedestrian(d: _Drawing) -> None:
    d.disc(0.02, -0.22, 0.10, _BLACK)
    d.stroke([(0.0, -0.06), (-0.03, 0.22)], 0.17, _BLACK, round_ends=True)
    for limb, width in (
        ([(-0.02, 0.22), (0.14, 0.38), (0.16, 0.58)], 0.095),
        ([(-0.04, 0.22), (-0.10, 0.42), (-0.24, 0.57)], 0.095),
        ([(0.02, -0.06), (0.15, 0.08), (0.27, 0.10)], 0.075),
        ([(-0.03, -0.06), (-0.17, 0.06), (-0.18, 0.20)], 0.075),
    ):
        d.stroke(limb, width, _BLACK, round_ends=True)


def _crossroads(d: _Drawing) -> None:
    for side in (-1, 1):
        d.stroke([(side * 0.25, -0.02), (-side * 0.25, 0.56)], 0.18, _BLACK)


def _curve(d: _Drawing) -> None:
    bend = [(-0.17, 0.62), (-0.17, 0.32), *arc(0.05, 0.32, 0.22, 0.24, 180, 270)]
    d.arrow(bend, 0.17, 0.27, _BLACK)


def _animal(d: _Drawing) -> None:
    """A deer in mid-leap."""
    back = [(-0.36, 0.26), (-0.28, 0.14), (0.0, 0.08), (0.12, -0.08), (0.17, -0.20)]
    head = [(0.28, -0.16), (0.35, -0.07), (0.30, -0.03)]
    belly = [(0.24, -0.04), (0.24, 0.10), (0.18, 0.22), (0.02, 0.26), (-0.14, 0.30), (-0.28, 0.34)]
    d.polygon([*back, *head, *belly], _BLACK)
    for limb in (
        [(0.16, 0.18), (0.30, 0.26), (0.43, 0.22)],
        [(0.12, 0.20), (0.20, 0.34), (0.33, 0.37)],
        [(-0.26, 0.28), (-0.24, 0.44), (-0.38, 0.57)],
        [(-0.18, 0.28), (-0.14, 0.44), (-0.24, 0.58)],
        [(0.19, -0.16), (0.10, -0.34)],
        [(0.14, -0.25), (0.03, -0.30)],
    ):
        d.stroke(limb, 0.065, _BLACK)


def _mandatory(pictogram: Painter) -> Painter:
    """A blue disc with a white pictogram."""

    def draw(d: _Drawing) -> None:
        d.disc(0, 0, 1, _WHITE)
        d.disc(0, 0, 0.96, _BLUE)
        pictogram(d)

    return draw


def _ahead(d: _Drawing) -> None:
    d.arrow([(0, 0.68), (0, -0.12)], 0.24, 0.56, _WHITE)


def _turn(side: int) -> Painter:
    """An arrow that comes from below and turns to the right (``side`` 1) or left (-1)."""

    def draw(d: _Drawing) -> None:
        bend = [(-0.30, 0.66), (-0.30, 0.10), *arc(-0.05, 0.10, 0.25, 0.25, 180, 270), (0.14, -0.15)]
        d.arrow([(side * x, y) for x, y in bend], 0.24, 0.50, _WHITE)

    return draw


def _roundabout(d: _Drawing) -> None:
    for start in (-90, 30, 150):
        d.arrow(arc(0, 0, 0.50, 0.50, start + 88, start + 20), 0.17, 0.30, _WHITE)


_FACES: dict[str, Painter] = {
    "limit 30": _limit("30"),
    "limit 50": _limit("50"),
    "limit 80": _limit("80"),
    "limit 120": _limit("120"),
    "stop": _stop,
    "yield": _yield,
    "priority road": _priority,
    "no entry": _no_entry,
    "pedestrians": _warning(_pedestrian),
    "crossroads": _warning(_crossroads),
    "curve": _warning(_curve),
    "animals": _warning(_animal),
    "ahead": _mandatory(_ahead),
    "right": _mandatory(_turn(1)),
    "left": _mandatory(_turn(-1)),
    "roundabout": _mandatory(_roundabout),
}

CLASSES = tuple(_FACES)


@cache
def face(name: str, size: int) -> Image.Image:
    """The face of the sign ``name``, one of ``CLASSES``: ``size`` x ``size`` RGBA, transparent around the sign."""
    if name not in _FACES:
        raise ValueError(f"There is no sign {name!r}. The signs are: {', '.join(CLASSES)}.")
    drawing = _Drawing(size)
    _FACES[name](drawing)
    return drawing.image.reduce(_SUPERSAMPLE)
