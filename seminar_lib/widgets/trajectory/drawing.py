"""How a scene looks: the map with the way of FGSM and the path of PGD, and the margin step by step."""

from __future__ import annotations

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

from seminar_lib.plots import GREY, INK, RIGHT, VERMILLION, WRONG
from seminar_lib.widgets.canvas import Canvas, Pixels, Point
from seminar_lib.widgets.images import as_bytes
from seminar_lib.widgets.trajectory.scene import GRID, STEPS, Field, Scene, Spot

CELL = 38  # side of the square that stands for each point of the grid
BANDS = 24  # colours of the map
FLAT = 5.0  # margins beyond this many logits are hardly told apart by colour
DARK, PALE = 0.1, 0.55  # the grey of the boundary's rim, and how much white covers what lies outside the ball

MAP = (8, 34)  # upper left corner of the map
MAP_HEIGHT, MAP_WIDTH = (CELL * count for count in GRID)
CHART = (752, 300, 856, 388)  # left, top, right and bottom of the margin against steps


def draw_map(canvas: Canvas, scene: Scene) -> None:
    """What all steps of a walk have in common: the map, and FGSM on it."""
    canvas.text((MAP[0], 24), "margin: best wrong logit minus the right one", 14)
    canvas.image(MAP, painted(scene))
    _name_sides(canvas, scene.terrain)
    clean, fgsm = _on_canvas(scene, scene.clean), _on_canvas(scene, scene.fgsm)
    _jump(canvas, clean, fgsm)
    _clean_mark(canvas, clean)
    _legend(canvas, (MAP[0], MAP[1] + MAP_HEIGHT + 18))


def draw_path(canvas: Canvas, scene: Scene, step: int) -> None:
    """The path of PGD on the map, as far as it has come."""
    canvas.way([_on_canvas(scene, spot) for spot in scene.walk[: step + 1]])


def draw_chart(canvas: Canvas, scene: Scene, step: int) -> None:
    """The margin of the images themselves, as far as the walk has gone, with that of FGSM."""
    left, top, right, bottom = CHART
    margins = [spot.margin for spot in scene.spots]
    low, high = min(0.0, *margins), max(0.0, *margins)

    def height(level: float) -> float:
        return bottom - (bottom - top) * (level - low) / max(high - low, 1e-9)

    def along(number: int) -> float:
        return left + (right - left) * number / STEPS

    canvas.text((left - 32, top - 12), "margin by step")
    canvas.line([(left, height(0)), (right, height(0))], INK, 1)
    for level in {0.0, low, high}:
        if level == 0 or abs(height(level) - height(0)) > 12:
            canvas.text((left - 5, height(level) + 4), f"{level:+.1f}" if level else "0", 11, GREY, align="right")
    for number in (0, STEPS):
        canvas.text((along(number), bottom + 18), str(number), 11, GREY, align="middle")
    _jump(canvas, (left, height(scene.fgsm.margin)), (right, height(scene.fgsm.margin)))
    path = [(along(number), height(spot.margin)) for number, spot in enumerate(scene.walk[: step + 1])]
    canvas.line(path, VERMILLION, 2)
    canvas.marker(path[-1], "disc", VERMILLION)


def painted(scene: Scene) -> Pixels:
    """The map: bands of colour, paler outside the ball, with a thick white line where the margin is zero."""
    terrain = _fine(scene.terrain)
    band = np.floor(BANDS * (0.5 + 0.5 * np.tanh(terrain / FLAT))).clip(0, BANDS - 1).astype(int)
    picture = matplotlib.colormaps["cividis"](np.linspace(0, 1, BANDS))[band, :3]
    ball = Image.new("1", (MAP_WIDTH, MAP_HEIGHT))
    ImageDraw.Draw(ball).polygon([on_map(scene, at) for at in scene.edge], fill=1)
    outside = ~np.asarray(ball)
    picture[outside] = PALE + (1 - PALE) * picture[outside]
    from_boundary = _from_zero(terrain)
    picture[from_boundary < 3] = DARK
    picture[from_boundary < 2] = 1
    return as_bytes(picture)


def _fine(field: Field) -> Field:
    """A field on the grid, interpolated to every pixel of the map; the grid's points are the middles of its cells."""
    image = Image.fromarray(field.astype(np.float32))
    return np.asarray(image.resize((MAP_WIDTH, MAP_HEIGHT), Image.Resampling.BICUBIC), np.float64)


def _from_zero(field: Field) -> Field:
    """How many pixels each pixel is away from where the field is zero, as its slope tells."""
    down, right = np.gradient(field)
    distance: Field = np.abs(field) / np.maximum(np.hypot(down, right), 1e-12)
    return distance


def on_map(scene: Scene, at: Point) -> Point:
    """A place on the plane in pixels of the map, from its upper left corner."""
    right, up = ((here - origin) / scene.scale for here, origin in zip(at, scene.corner, strict=True))
    return CELL * right, MAP_HEIGHT - CELL * up


def _on_canvas(scene: Scene, spot: Spot) -> Point:
    x, y = on_map(scene, spot.at)
    return MAP[0] + x, MAP[1] + y


def _name_sides(canvas: Canvas, terrain: Field) -> None:
    """The words "right" and "wrong" where the map is lowest and highest, as far as both occur."""
    for flat, words, colour in (
        (terrain.argmin(), f"{RIGHT} right", "white"),
        (terrain.argmax(), f"{WRONG} wrong", INK),
    ):
        if (terrain.flat[flat] > 0) == (colour == INK):
            row, column = divmod(int(flat), GRID[1])
            x = min(max(CELL * (column + 0.5), 36), MAP_WIDTH - 36)
            canvas.text((MAP[0] + x, MAP[1] + CELL * (row + 0.5) + 5), words, 14, colour, bold=True, align="middle")


def _legend(canvas: Canvas, at: Point) -> None:
    left, top = at
    _clean_mark(canvas, (left + 8, top - 4))
    canvas.text((left + 20, top), "clean", 12)
    _jump(canvas, (left + 66, top - 4), (left + 102, top - 4))
    canvas.text((left + 112, top), "FGSM", 12)
    canvas.line([(left + 166, top - 4), (left + 194, top - 4)], VERMILLION, 2)
    canvas.marker((left + 194, top - 4), "disc", VERMILLION, 6)
    canvas.text((left + 206, top), "PGD, where it falls onto the map", 12)
    canvas.line([(left, top + 18), (left + 34, top + 18)], INK, 6)
    canvas.line([(left + 1, top + 18), (left + 33, top + 18)], "white", 4)
    canvas.text((left + 42, top + 22), "boundary: margin 0", 12)
    canvas.text((left + 206, top + 22), "pale: outside the ball", 12)


def _jump(canvas: Canvas, start: Point, end: Point) -> None:
    """The way of FGSM: white dashes on a dark line, seen on any ground, to a square."""
    canvas.line([start, end], INK, 4)
    dashes = [tuple(a + (b - a) * part / 15 for a, b in zip(start, end, strict=True)) for part in range(16)]
    canvas.line([(x, y) for x, y in dashes], "white", 2, dashed=True)
    canvas.marker(end, "square", "white", 6)
    canvas.marker(end, "square", INK, 4)


def _clean_mark(canvas: Canvas, at: Point) -> None:
    canvas.marker(at, "square", INK, 7)
    canvas.marker(at, "square", "white", 5)
