"""The first demo of lesson 02: a walk of PGD over the surface that it climbs, step by step, and the one step of FGSM.

    x_{t+1} = project(x_t + size * sign(grad_x loss(x_t)))

The map is a plane through three images: the clean one, that of FGSM, and the last of the walk. Images in between lie
beside the plane and are drawn where they fall onto it. A walk and its map are computed when one of their settings
changes; going along the walk then only draws.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import matplotlib
import numpy as np
import torch
from ipywidgets import SelectionSlider
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.plots import GREY, INK, RIGHT, VERMILLION, WRONG
from seminar_lib.threat import Linf
from seminar_lib.types import Images, Model
from seminar_lib.widgets.canvas import Canvas, Pixels, Point
from seminar_lib.widgets.images import ImageDemo, as_bytes, hwc, slider

Field: TypeAlias = NDArray[np.float64]

STEPS = 20
EPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # grey levels, units of 1/255
SIZES = (0.25, 0.5, 1, 2, 4, 8, 16, 32)  # of a step, likewise
STARTS = ("clean image", *(f"random {number}" for number in range(1, 10)))

GRID = (9, 11)  # rows and columns of the points at which the map asks the model
CELL = 38  # side of the square that each of them stands for
BANDS = 24  # colours of the map
FLAT = 5.0  # margins beyond this many logits are hardly told apart by colour
DARK, PALE = 0.1, 0.55  # the grey of the boundary's rim, and how much white covers what lies outside the ball

WIDTH, HEIGHT = 872, 428
MAP = (8, 34)  # upper left corner of the map
MAP_HEIGHT, MAP_WIDTH = (CELL * count for count in GRID)
COLUMNS = (448, 672)  # left edges of image and perturbation
CHART = (752, 300, 856, 388)  # left, top, right and bottom of the margin against steps


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        eps: radius of the Linf ball in grey levels: 8 means 8/255.
        size: of a step of PGD, in grey levels.
        start: 0 for the clean image; any other number is the seed of a random start.
        step: how many steps have been taken.
    """

    image: int = 0
    eps: int = 8
    size: float = 2
    start: int = 0
    step: int = 10


@dataclass(frozen=True)
class Spot:
    """One image and what the model says of it.

    Attributes:
        pixels: (H, W, C) in [0, 1].
        p: probabilities (K,).
        margin: the best wrong logit minus the right one; above zero the model is wrong.
        at: where it falls onto the map's plane, in units of L2 length; the clean image is at (0, 0), that of FGSM to
            the right.
    """

    pixels: NDArray[np.float64]
    p: NDArray[np.float64]
    margin: float
    at: Point


@dataclass(frozen=True)
class Scene:
    """One walk with its map.

    Attributes:
        clean: the clean image.
        fgsm: what FGSM makes of it in the same ball.
        walk: the start of PGD and the image after each of ``STEPS`` steps.
        corner: the map's lower left corner.
        scale: side of one of the map's squares, in the units of ``Spot.at``.
        terrain: the margin at the middle of each square, (rows, columns), the top row first.
        edge: points around the edge of the ball.
    """

    clean: Spot
    fgsm: Spot
    walk: tuple[Spot, ...]
    corner: Point
    scale: float
    terrain: Field
    edge: tuple[Point, ...]

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """All images on the map."""
        return (self.clean, self.fgsm, *self.walk)

    @cached_property
    def peaks(self) -> NDArray[np.float64]:
        """The largest probability that each class reaches at any of them."""
        peaks: NDArray[np.float64] = np.stack([spot.p for spot in self.spots]).max(0)
        return peaks

    def on_map(self, at: Point) -> Point:
        """A place on the plane in pixels of the map, from its upper left corner."""
        right, up = ((here - origin) / self.scale for here, origin in zip(at, self.corner, strict=True))
        return CELL * right, MAP_HEIGHT - CELL * up


class TrajectoryDemo(ImageDemo[State]):
    """Walk along PGD; change its start, its steps and its ball; compare with FGSM.

    Args:
        model: images in [0, 1] to logits (B, K).
        data: the images to choose from, on the model's device.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = 192
    lines = 2

    def __init__(self, model: Model, data: Split, classes: Sequence[str]) -> None:
        self.scenes = lru_cache(maxsize=128)(self._scene)
        self._backdrop = lru_cache(maxsize=1)(self._draw_backdrop)  # one walks along one walk at a time
        super().__init__(
            model,
            data,
            classes,
            State(),
            "A map of the margin with the path of PGD and the jump of FGSM, the attacked image, its perturbation, and "
            "the model's answers; the sentences above say the result.",
        )

    def rows(self) -> list[dict[str, SelectionSlider]]:
        """What may be changed of the walk, and below it the steps of one walk."""
        return [
            {
                "image": self.image_slider(),
                "start": slider("start", [(name, number) for number, name in enumerate(STARTS)], 424),
            },
            {
                "eps": slider("eps", [(f"{eps}/255", eps) for eps in EPS]),
                "size": slider("step size", [(f"{size:g}/255", size) for size in SIZES], 424),
            },
            {"step": slider("step", [(f"{step} of {STEPS}", step) for step in range(STEPS + 1)], 868)},
        ]

    def render(self, state: State) -> Pixels:
        """The path on the map as far as it has come, the image there, what the model says, and the margin so far."""
        scene = self._scene_of(state)
        canvas = self._backdrop(state.image, state.eps, state.size, state.start).copy()
        here, past = scene.walk[state.step], scene.walk[: state.step + 1]
        path = [_on_canvas(scene, spot) for spot in past]
        canvas.line(path, "white", 4)
        canvas.line(path, VERMILLION, 2)
        for spot in path[:-1]:
            canvas.marker(spot, "disc", VERMILLION, 3)
        canvas.marker(path[-1], "disc", "white", 8)
        canvas.marker(path[-1], "disc", VERMILLION, 6)
        canvas.text((COLUMNS[0], 24), f"PGD, step {state.step}", 14)
        amplify = 0.5 * 255 / state.eps
        canvas.text((COLUMNS[1], 24), f"perturbation \N{MULTIPLICATION SIGN} {amplify:.0f}", 14)
        canvas.image((COLUMNS[0], MAP[1]), as_bytes(here.pixels), self.enlarge)
        canvas.image((COLUMNS[1], MAP[1]), as_bytes(0.5 + amplify * (here.pixels - scene.clean.pixels)), self.enlarge)
        self.draw_answer(canvas, (COLUMNS[0], 250), state.image, here.p)
        self.draw_bars(canvas, (COLUMNS[0], 268), state.image, here.p, scene.peaks)
        _chart(canvas, scene, state.step)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Settings, answers, margins and the verdict in words."""
        scene = self._scene_of(state)
        true = self.true(state.image)
        if scene.clean.p.argmax() != true:
            verdict = "The model was wrong before the attack."
        else:
            fooled = {"PGD": scene.walk[state.step], "FGSM": scene.fgsm}
            by = [name for name, spot in fooled.items() if spot.p.argmax() != true]
            verdict = f"Fooled by {' and by '.join(by)}." if by else "The model still answers rightly."
        return (
            f"PGD from the {STARTS[state.start]}{' start' if state.start else ''}, step {state.step} of {STEPS}, "
            f"step size {state.size:g}/255, eps = {state.eps}/255: {self._words(scene.walk[state.step])}. "
            f"FGSM: {self._words(scene.fgsm)}. Clean: {self._words(scene.clean)}. {verdict}"
        )

    def _words(self, spot: Spot) -> str:
        return f"{self.answer(spot.p)}, margin {spot.margin:+.2f}"

    def _scene_of(self, state: State) -> Scene:
        return self.scenes(state.image, state.eps, state.size, state.start)

    def _scene(self, image: int, eps: int, size: float, start: int) -> Scene:
        """Everything that can be shown of one walk."""
        one = self.data[image : image + 1]
        ball = Linf(eps / 255)
        pgd = PGD(ball, steps=STEPS, step_size=size / 255, random_start=start > 0, stop_when_fooled=False)
        with frozen(self.model):
            goal = Misclassify(self.model, one.y)
            recorded = Recorded(goal, torch.arange(1))
            pgd.search(recorded, one.x, torch.Generator(one.x.device).manual_seed(start))
            x = torch.cat([one.x, FGSM(ball).search(goal, one.x), *(look.x for look in recorded.looks)])
            axes = _plane(x - one.x)
            at = (x - one.x).flatten(1) @ axes.T
            spots = self._spots(x, one.y, at)
            corner, scale = _frame(at)
            terrain = self._terrain(one, axes, corner, scale)
        return Scene(spots[0], spots[1], tuple(spots[2:]), corner, scale, terrain, _edge(axes, ball.eps))

    @torch.no_grad()
    def _spots(self, x: Images, y: Tensor, at: Tensor) -> list[Spot]:
        """What the model says of each image; ``y`` is the label that they share."""
        logits = self.model(x)
        p = logits.softmax(1).cpu().double().numpy()
        margins = margin(logits, y.expand(len(x))).tolist()
        return [
            Spot(pixels, odds, height, (place[0], place[1]))
            for pixels, odds, height, place in zip(hwc(x), p, margins, at.tolist(), strict=True)
        ]

    @torch.no_grad()
    def _terrain(self, one: Split, axes: Tensor, corner: Point, scale: float) -> Field:
        """The margin at the middle of each square of the map, (rows, columns), the top row first."""
        rows, columns = (torch.arange(count, device=axes.device) + 0.5 for count in GRID)
        right, up = corner[0] + scale * columns, corner[1] + scale * rows.flip(0)
        moves = right[None, :, None] * axes[0] + up[:, None, None] * axes[1]
        x = one.x + moves.view(-1, *one.x.shape[1:])
        terrain: Field = margin(self.model(x), one.y.expand(len(x))).view(GRID).cpu().double().numpy()
        return terrain

    def _draw_backdrop(self, image: int, eps: int, size: float, start: int) -> Canvas:
        """What all steps of a walk have in common: the map, and FGSM on it."""
        scene = self.scenes(image, eps, size, start)
        canvas = Canvas(WIDTH, HEIGHT)
        canvas.text((MAP[0], 24), "margin: best wrong logit minus the right one", 14)
        canvas.image(MAP, _painted(scene))
        _name_sides(canvas, scene.terrain)
        clean, fgsm = _on_canvas(scene, scene.clean), _on_canvas(scene, scene.fgsm)
        _jump(canvas, clean, fgsm)
        _clean_mark(canvas, clean)
        _legend(canvas, (MAP[0], MAP[1] + MAP_HEIGHT + 18))
        canvas.text((COLUMNS[1], 250), "FGSM:", 13, GREY)
        self.draw_answer(canvas, (COLUMNS[1] + 46, 250), image, scene.fgsm.p, 13)
        return canvas


def _plane(moves: Images) -> Tensor:
    """Two orthonormal directions, (2, C * H * W), whose plane holds the second and the last of the moves.

    The first is that of the second move. Where a move gives no new direction, because it is zero or lies along the
    first, a random one takes its place.
    """
    flat = moves.flatten(1)
    noise = torch.randn(2, flat.shape[1], generator=torch.Generator().manual_seed(0)).to(flat)
    axes = flat[:0]
    for candidates in ((flat[1], noise[0]), (flat[-1], noise[1])):
        for move in candidates:
            rest = move - (axes @ move) @ axes
            if rest.norm() > 1e-3 * move.norm():
                axes = torch.cat([axes, rest[None] / rest.norm()])
                break
    return axes


def _frame(at: Tensor) -> tuple[Point, float]:
    """The lower left corner of a map that holds all places ``at``, (N, 2), and room around; the side of its cells."""
    low, high = at.amin(0).tolist(), at.amax(0).tolist()
    rows, columns = GRID
    scale = 1.3 * max((high[0] - low[0]) / columns, (high[1] - low[1]) / rows, 1e-6)
    return ((low[0] + high[0] - scale * columns) / 2, (low[1] + high[1] - scale * rows) / 2), scale


def _edge(axes: Tensor, eps: float) -> tuple[Point, ...]:
    """Points of the plane of ``axes`` that are ``eps`` away from its origin in the Linf norm, in every direction."""
    angles = torch.linspace(0, 2 * torch.pi, 361, device=axes.device)
    directions = torch.stack([angles.cos(), angles.sin()], 1)
    edge = eps * directions / (directions @ axes).abs().amax(1, keepdim=True)
    return tuple((x, y) for x, y in edge.tolist())


def _painted(scene: Scene) -> Pixels:
    """The map: bands of colour, paler outside the ball, with a thick white line where the margin is zero."""
    terrain = _fine(scene.terrain)
    band = np.floor(BANDS * (0.5 + 0.5 * np.tanh(terrain / FLAT))).clip(0, BANDS - 1).astype(int)
    picture = matplotlib.colormaps["cividis"](np.linspace(0, 1, BANDS))[band, :3]
    ball = Image.new("1", (MAP_WIDTH, MAP_HEIGHT))
    ImageDraw.Draw(ball).polygon([scene.on_map(at) for at in scene.edge], fill=1)
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


def _on_canvas(scene: Scene, spot: Spot) -> Point:
    x, y = scene.on_map(spot.at)
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


def _chart(canvas: Canvas, scene: Scene, step: int) -> None:
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
