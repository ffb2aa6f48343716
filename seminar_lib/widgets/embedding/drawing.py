"""How the map looks: a mark for each clean image, the names of the classes, and the path of the attack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np

from seminar_lib.plots.names import keep_apart
from seminar_lib.plots.style import GREY, INK, PALE, VERMILLION, class_look, name_colour
from seminar_lib.widgets.canvas import Canvas, Marker, Point, text_width
from seminar_lib.widgets.embedding.scene import Ground, Spot

MARKERS: tuple[Marker, ...] = get_args(Marker)  # in the order of ``class_look``

LEFT, TOP, RIGHT, BOTTOM = 8, 34, 568, 388  # of the map
MARGIN = 0.09  # around the clean images, in shares of the map: attacked ones may lie beyond them
NAME = 12  # size of the classes' names
ABOVE = 9  # from the middle of a class up to its name


class Sheet:
    """Places on the plane as places on the canvas; the same length along both axes, everything inside the map.

    Args:
        grounds: of all networks, so that a place means the same for each of them.
    """

    def __init__(self, grounds: Sequence[Ground]) -> None:
        places = np.concatenate([ground.places for ground in grounds])
        low, high = places.min(0), places.max(0)
        self.middle = (low + high) / 2
        room = (1 - 2 * MARGIN) * np.array([RIGHT - LEFT, BOTTOM - TOP])
        self.scale = float((room / np.maximum(high - low, 1e-9)).min())

    def __call__(self, at: Point) -> Point:
        """A place beyond the map is drawn at its edge."""
        x = (LEFT + RIGHT) / 2 + self.scale * (at[0] - self.middle[0])
        y = (TOP + BOTTOM) / 2 - self.scale * (at[1] - self.middle[1])
        return min(max(x, LEFT + 8.0), RIGHT - 8.0), min(max(y, TOP + 8.0), BOTTOM - 8.0)


def draw_ground(canvas: Canvas, ground: Ground, sheet: Sheet, classes: Sequence[str]) -> None:
    """What all images and steps have in common: the clean images of one network, and the names of their classes."""
    canvas.text((LEFT, 24), f"{len(ground.y)} clean images in the embedding", 14)
    canvas.box((LEFT, TOP), (RIGHT, BOTTOM), PALE)
    for place, label in zip(ground.places.tolist(), ground.y.tolist(), strict=True):
        colour, number = class_look(label)
        canvas.marker(sheet((place[0], place[1])), MARKERS[number], colour, 3)
    places = {label: _beside(sheet(at), classes[label]) for label, at in ground.middles.items()}
    shifts = keep_apart([_extent(at, classes[label]) for label, at in places.items()])
    for (label, (x, y)), shift in zip(places.items(), shifts, strict=True):
        canvas.text((x, y + shift), classes[label], NAME, name_colour(label), bold=True, align="middle", halo=True)
    canvas.marker((LEFT + 8, BOTTOM + 18), "disc", VERMILLION, 6)
    canvas.text((LEFT + 22, BOTTOM + 22), "the image, and its way under PGD", 12, GREY)
    _ring(canvas, (LEFT + 270, BOTTOM + 18))
    canvas.text((LEFT + 284, BOTTOM + 22), "where it was", 12, GREY)


def draw_walk(canvas: Canvas, walk: Sequence[Spot], step: int, sheet: Sheet) -> None:
    """The way of one image, as far as it has come."""
    path = [sheet(spot.at) for spot in walk[: step + 1]]
    _ring(canvas, path[0])
    canvas.way(path)


def _ring(canvas: Canvas, at: Point) -> None:
    canvas.marker(at, "disc", INK, 9)
    canvas.marker(at, "disc", "white", 7)


def _beside(at: Point, name: str) -> Point:
    """Where the name of a class stands whose middle is at ``at``: above it, and inside the map."""
    half = text_width(name, NAME, bold=True) / 2 + 4
    return min(max(at[0], LEFT + half), RIGHT - half), max(at[1] - ABOVE, TOP + NAME + 2.0)


def _extent(at: Point, name: str) -> tuple[float, float, float, float]:
    half = text_width(name, NAME, bold=True) / 2
    return at[0] - half, at[1] - NAME, at[0] + half, at[1] + 2
