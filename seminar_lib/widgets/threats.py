"""The second demo of lesson 02: one image attacked in three balls, side by side.

    Linf    max |delta_i| <= eps            every pixel value may change a little
    L2      sqrt(sum delta_i^2) <= eps      much in a few places, or little in many
    L1      sum |delta_i| <= eps            few values, by much

The radii are numbers of different kinds. So each perturbation is measured in all three norms, and students can look for
radii that make two of them alike. An attack is run when its radius or the image changes, and kept.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from ipywidgets import SelectionSlider
from numpy.typing import NDArray

from seminar_lib.attacks import APGD
from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.plots import GREY, INK
from seminar_lib.threat import L1, L2, Linf, ThreatModel
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.images import ImageDemo, as_bytes, hwc, slider

LINF = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # grey levels, units of 1/255
L2_RADII = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4)
L1_RADII = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
STEPS = 10  # of APGD: few, so that a key press is answered at once

WIDTH, HEIGHT = 872, 510
COLUMNS = (8, 228, 448, 668)  # left edges of the clean image and the three attacked ones
TOPS = (30, 238)  # of images and perturbations
TABLE, ROW = 428, 22  # the first baseline of the table, and from there to the next


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        linf: radius of the Linf ball in grey levels: 8 means 8/255.
        l2: radius of the L2 ball, in pixels of [0, 1].
        l1: radius of the L1 ball, in pixels of [0, 1].
    """

    image: int = 0
    linf: int = 8
    l2: float = 1
    l1: float = 12

    @property
    def balls(self) -> tuple[Linf, L2, L1]:
        """The three threat models."""
        return Linf(self.linf / 255), L2(self.l2), L1(self.l1)


@dataclass(frozen=True)
class Attacked:
    """What an attack made of an image.

    Attributes:
        pixels: the image (H, W, C) in [0, 1].
        delta: the perturbation, likewise.
        p: the model's probabilities (K,).
    """

    pixels: NDArray[np.float64]
    delta: NDArray[np.float64]
    p: NDArray[np.float64]

    @property
    def lengths(self) -> dict[str, str]:
        """How large the perturbation is, in every norm and by counting; a value counts that moves a grey level."""
        size = np.abs(self.delta)
        return {
            "Linf": f"{255 * size.max():.0f}/255",
            "L2": f"{np.sqrt((size**2).sum()):.2f}",
            "L1": f"{size.sum():.1f}",
            "values changed": f"{(255 * size > 0.5).sum()} of {size.size}",
        }


class ThreatsDemo(ImageDemo[State]):
    """Change the radii of three balls, and see what the same attack does in each.

    Args:
        model: images in [0, 1] to logits (B, K).
        data: the images to choose from, on the model's device.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = 160
    lines = 3

    def __init__(self, model: Model, data: Split, classes: Sequence[str]) -> None:
        self.attacked = lru_cache(maxsize=512)(self._attacked)
        super().__init__(
            model,
            data,
            classes,
            State(),
            "A clean image and what an attack makes of it in an Linf, an L2 and an L1 ball, with the perturbations, "
            "their lengths and the model's answers; the sentences above say the result.",
        )

    def rows(self) -> list[dict[str, SelectionSlider]]:
        """The image, and a radius for each ball."""
        return [
            {"image": self.image_slider(), "linf": slider("Linf", [(f"{eps}/255", eps) for eps in LINF], 424)},
            {
                "l2": slider("L2", [(f"{eps:g}", eps) for eps in L2_RADII]),
                "l1": slider("L1", [(f"{eps:g}", eps) for eps in L1_RADII], 424),
            },
        ]

    def render(self, state: State) -> Pixels:
        """Images above, perturbations below, and a table of their lengths; the one that the ball limits has a frame."""
        canvas = Canvas(WIDTH, HEIGHT)
        clean = self.attacked(state.image, None)
        self._column(canvas, COLUMNS[0], state.image, "clean image", clean)
        middle = TOPS[1] + self.panel // 2
        for line, words in enumerate(("The perturbations,", "scaled to be seen;", "grey is no change")):
            canvas.text((COLUMNS[0], middle + ROW * line), words, 12, GREY)
        for row, name in enumerate(clean.lengths):
            canvas.text((COLUMNS[0], TABLE + ROW * row), name, 13)
        for left, ball in zip(COLUMNS[1:], state.balls, strict=True):
            attacked = self.attacked(state.image, ball)
            limited = type(ball).__name__
            self._column(canvas, left, state.image, _name(ball), attacked)
            self._perturbation(canvas, left, attacked.delta)
            for row, (name, length) in enumerate(attacked.lengths.items()):
                y = TABLE + ROW * row
                canvas.text((left + 6, y), length, 13, bold=name == limited)
                if name == limited:
                    canvas.box((left, y - 15), (left + 90, y + 4), INK)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Answers and lengths in words."""
        sentences = [f"Clean: {self.answer(self.attacked(state.image, None).p)}."]
        for ball in state.balls:
            attacked = self.attacked(state.image, ball)
            lengths = ", ".join(f"{name} {length}" for name, length in attacked.lengths.items())
            sentences.append(f"{_name(ball)}: {self.answer(attacked.p)} ({lengths}).")
        return " ".join(sentences)

    def _attacked(self, image: int, ball: ThreatModel | None) -> Attacked:
        """One image after an attack within ``ball``, or as it is."""
        one = self.data[image : image + 1]
        x_adv = one.x
        if ball is not None:
            attack = APGD(ball, steps=STEPS, stop_when_fooled=False)
            x_adv = attack(self.model, one.x, one.y, generator=torch.Generator(one.x.device).manual_seed(image))
        with frozen(self.model), torch.no_grad():
            p = self.model(x_adv).softmax(1)
        return Attacked(hwc(x_adv)[0], hwc(x_adv - one.x)[0], p[0].cpu().double().numpy())

    def _column(self, canvas: Canvas, left: int, image: int, title: str, attacked: Attacked) -> None:
        canvas.text((left, TOPS[0] - 10), title, 14)
        canvas.image((left, TOPS[0]), as_bytes(attacked.pixels), self.enlarge)
        self.draw_answer(canvas, (left, TOPS[0] + self.panel + 20), image, attacked.p, 14)

    def _perturbation(self, canvas: Canvas, left: int, delta: NDArray[np.float64]) -> None:
        """Scaled until its largest value spans the grey scale."""
        scale = 0.5 / max(float(np.abs(delta).max()), 1e-9)
        canvas.image((left, TOPS[1]), as_bytes(0.5 + scale * delta), self.enlarge)
        factor = f"{scale:.0f}" if scale >= 2 else f"{scale:.1f}"
        canvas.text((left, TOPS[1] - 6), f"perturbation \N{MULTIPLICATION SIGN} {factor}", 12, GREY)


def _name(ball: ThreatModel) -> str:
    radius = f"{255 * ball.eps:.0f}/255" if isinstance(ball, Linf) else f"{ball.eps:g}"
    return f"{type(ball).__name__} ball of {radius}"
