"""The first demo of lesson 02: walk along PGD step by step, and change its start, its steps and its ball.

A walk and its map are computed when one of their settings changes; going along the walk then only draws.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ipywidgets import SelectionSlider

from seminar_lib.data.dataset import Split
from seminar_lib.plots import GREY
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.images import ImageDemo, as_bytes, slider
from seminar_lib.widgets.trajectory.drawing import MAP, draw_chart, draw_map, draw_path
from seminar_lib.widgets.trajectory.scene import STEPS, Scene, Spot

EPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # grey levels, units of 1/255
SIZES = (0.25, 0.5, 1, 2, 4, 8, 16, 32)  # of a step, likewise
STARTS = ("clean image", *(f"random {number}" for number in range(1, 10)))

WIDTH, HEIGHT = 872, 428
COLUMNS = (448, 672)  # left edges of image and perturbation


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
        here = scene.walk[state.step]
        draw_path(canvas, scene, state.step)
        canvas.text((COLUMNS[0], 24), f"PGD, step {state.step}", 14)
        amplify = 0.5 * 255 / state.eps
        canvas.text((COLUMNS[1], 24), f"perturbation \N{MULTIPLICATION SIGN} {amplify:.0f}", 14)
        canvas.image((COLUMNS[0], MAP[1]), as_bytes(here.pixels), self.enlarge)
        canvas.image((COLUMNS[1], MAP[1]), as_bytes(0.5 + amplify * (here.pixels - scene.clean.pixels)), self.enlarge)
        self.draw_answer(canvas, (COLUMNS[0], 250), state.image, here.p)
        self.draw_bars(canvas, (COLUMNS[0], 268), state.image, here.p, scene.peaks)
        draw_chart(canvas, scene, state.step)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Settings, answers, margins and the verdict in words."""
        scene = self._scene_of(state)
        attacked = {"PGD": scene.walk[state.step].p, "FGSM": scene.fgsm.p}
        verdict = self.verdict(state.image, scene.clean.p, attacked)
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
        return Scene.of(self.model, self.data[image : image + 1], eps, size, start)

    def _draw_backdrop(self, image: int, eps: int, size: float, start: int) -> Canvas:
        """What all steps of a walk have in common."""
        scene = self.scenes(image, eps, size, start)
        canvas = Canvas(WIDTH, HEIGHT)
        draw_map(canvas, scene)
        canvas.text((COLUMNS[1], 250), "FGSM:", 13, GREY)
        self.draw_answer(canvas, (COLUMNS[1] + 46, 250), image, scene.fgsm.p, 13)
        return canvas
