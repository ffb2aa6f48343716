"""The demo of lesson 01: one gradient step against random noise of the same size.

    x_adv = clip(x + eps * sign(grad_x loss), 0, 1)

The gradient is taken at the clean image, so one gradient serves every eps, and the whole sweep over eps is computed
when an image is first shown. Dragging eps then only draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, TypeAlias

import numpy as np
import torch
from ipywidgets import Layout, ToggleButtons, ValueWidget
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.attacks.base import climb
from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.plots import BLUE, GREY, INK, VERMILLION
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Marker, Pixels
from seminar_lib.widgets.images import ImageDemo, slider

Direction: TypeAlias = Literal["gradient", "random"]
WORDS: dict[Direction, str] = {"gradient": "sign(gradient)", "random": "random signs"}

LARGEST = 32  # eps in grey levels, units of 1/255
AMPLIFY = 4  # then a change by LARGEST spans the grey scale

WIDTH, HEIGHT = 872, 470
COLUMNS = (8, 304, 600)  # left edges of clean image, perturbation, adversarial image
PANEL, PANEL_TOP = 224, 76
THUMB, THUMBS = 32, 20  # side and number of the small images that show where one is
LOWER = 340  # top of bars and curves


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        eps: in grey levels: 8 means 8/255.
        direction: along the sign of the gradient, or along random signs.
    """

    image: int = 0
    eps: int = 8
    direction: Direction = "gradient"


@dataclass(frozen=True)
class Sweep:
    """One image moved in one direction, for eps = 0, 1, ..., LARGEST grey levels.

    Attributes:
        images: the moved images, uint8 (LARGEST + 1, H, W, C).
        p: the model's probabilities, (LARGEST + 1, K).
    """

    images: Pixels
    p: NDArray[np.float64]


class FGSMDemo(ImageDemo[State]):
    """Pick an image, drag eps, and compare the signs of the gradient with random ones.

    Args:
        model: images in [0, 1] to logits (B, K).
        data: the images to choose from, on the model's device.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = PANEL

    def __init__(self, model: Model, data: Split, classes: Sequence[str]) -> None:
        self.sweeps = cache(self._sweeps)
        self._backdrop = lru_cache(maxsize=1)(self._draw_backdrop)  # eps is dragged on one image at a time
        super().__init__(
            model,
            data,
            classes,
            State(),
            "A clean image, an amplified perturbation and the image that is their sum, with the model's answers; the "
            "sentence above says the result.",
        )

    def rows(self) -> list[dict[str, ValueWidget]]:
        """Eps over the whole width, then image and direction."""
        direction = ToggleButtons(
            options=[(words, direction) for direction, words in WORDS.items()],
            description="direction",
            style={"description_width": "64px", "button_width": "132px"},
            layout=Layout(width="412px"),
        )
        eps = slider("eps", [(f"{eps}/255", eps) for eps in range(LARGEST + 1)], 864)
        return [{"eps": eps}, {"image": self.image_slider(), "direction": direction}]

    def render(self, state: State) -> Pixels:
        """Clean image + perturbation = adversarial image, what the model says of each, and the way there."""
        canvas = self._backdrop(state.image).copy()
        sweep = self.sweeps(state.image)[state.direction]
        clean, moved = sweep.images[0], sweep.images[state.eps]
        change = 127.5 + AMPLIFY * (moved.astype(np.float64) - clean)
        canvas.text(
            (COLUMNS[1], PANEL_TOP - 10), f"{state.eps}/255 \N{MULTIPLICATION SIGN} {WORDS[state.direction]}", 14
        )
        canvas.image((COLUMNS[1], PANEL_TOP), change.clip(0, 255).round().astype(np.uint8), self.enlarge)
        result = "adversarial image" if state.direction == "gradient" else "noisy image"
        canvas.text((COLUMNS[2], PANEL_TOP - 10), result, 14)
        canvas.image((COLUMNS[2], PANEL_TOP), moved, self.enlarge)
        self._answer(canvas, COLUMNS[2], state.image, sweep.p[state.eps])
        self._curves(canvas, state)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Sizes, answers, confidences and the verdict in words."""
        p, words = self.sweeps(state.image)[state.direction].p, WORDS[state.direction]
        return (
            f"eps = {state.eps}/255 along {words}. Clean: {self.answer(p[0])}. Changed: {self.answer(p[state.eps])}. "
            f"{self.verdict(state.image, p[0], {words: p[state.eps]})}"
        )

    def _sweeps(self, image: int) -> dict[Direction, Sweep]:
        """Everything that can be shown of one image."""
        one = self.data[image : image + 1]
        with frozen(self.model):
            _, grad = climb(Misclassify(self.model, one.y), one.x)
            coins = torch.randint(2, one.images.shape, generator=torch.Generator().manual_seed(image))
            return {
                "gradient": self._sweep(one.x, grad.sign()),
                "random": self._sweep(one.x, (2 * coins - 1).to(one.x)),
            }

    @torch.no_grad()
    def _sweep(self, x: Tensor, signs: Tensor) -> Sweep:
        eps = torch.arange(LARGEST + 1, device=x.device)[:, None, None, None] / 255
        x_adv = (x + eps * signs).clamp(0, 1)  # (LARGEST + 1, C, H, W)
        p = self.model(x_adv).softmax(1)
        # Bytes plus whole grey levels are bytes again: nothing is lost, what is shown is what the model saw.
        images = (255 * x_adv).round().to(torch.uint8).permute(0, 2, 3, 1)
        return Sweep(images.cpu().numpy(), p.cpu().double().numpy())

    def _draw_backdrop(self, image: int) -> Canvas:
        """What depends on the image alone."""
        canvas = Canvas(WIDTH, HEIGHT)
        first = max(0, min(image - THUMBS // 2, len(self.data) - THUMBS))
        thumbs = self.data.images[first : first + THUMBS].cpu().permute(0, 2, 3, 1).numpy()
        step = -(-max(thumbs.shape[1:3]) // THUMB)
        for place, pixels in enumerate(thumbs[:, ::step, ::step]):
            left = COLUMNS[0] + 43 * place
            canvas.image((left, 8), pixels)
            if first + place == image:
                canvas.box((left - 5, 3), (left + THUMB + 4, THUMB + 12), INK, 2)
        canvas.text((COLUMNS[0], PANEL_TOP - 10), "clean image", 14)
        canvas.text((268, PANEL_TOP + 122), "+", 30, align="middle")
        canvas.text((564, PANEL_TOP + 122), "=", 30, align="middle")
        canvas.text((COLUMNS[1], 322), f"drawn \N{MULTIPLICATION SIGN} {AMPLIFY}; mid-grey is no change", 12, GREY)
        sweep = self.sweeps(image)["gradient"]
        canvas.image((COLUMNS[0], PANEL_TOP), sweep.images[0], self.enlarge)
        self._answer(canvas, COLUMNS[0], image, sweep.p[0])
        return canvas

    def _answer(self, canvas: Canvas, left: int, image: int, p: NDArray[np.float64]) -> None:
        """The model's answer under an image, and its probabilities as bars."""
        self.draw_answer(canvas, (left, 322), image, p)
        peaks = np.max([sweep.p.max(0) for sweep in self.sweeps(image).values()], axis=0)
        self.draw_bars(canvas, (left, LOWER), image, p, peaks)

    def _curves(self, canvas: Canvas, state: State) -> None:
        """The probability of the true class along both directions, as far as eps has gone."""
        left, right, top, bottom = COLUMNS[1] + 36, COLUMNS[1] + 236, LOWER + 46, LOWER + 106
        canvas.text((COLUMNS[1], LOWER + 14), f"probability of {self.classes[self.true(state.image)]}")
        canvas.probability_axes((left, top), (right, bottom), LARGEST, 8)
        true = self.true(state.image)
        styles: dict[Direction, tuple[str, Marker, int]] = {
            "random": (BLUE, "square", 130),
            "gradient": (VERMILLION, "disc", 0),
        }
        for direction, sweep in reversed(self.sweeps(state.image).items()):
            colour, shape, x = styles[direction]
            canvas.marker((COLUMNS[1] + x + 5, LOWER + 28), shape, colour)
            canvas.text((COLUMNS[1] + x + 14, LOWER + 32), WORDS[direction], 12)
            path = [
                (left + (right - left) * eps / LARGEST, bottom + (top - bottom) * sweep.p[eps, true])
                for eps in range(state.eps + 1)
            ]
            canvas.line(path, colour, 2, dashed=direction == "random")
            canvas.marker(path[-1], shape, colour)
