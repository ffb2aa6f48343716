"""The demo of lesson 10: how much noise washes an attack out, and what it costs the image."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipywidgets import SelectionSlider
from torch import nn

from seminar_lib.data.dataset import Split
from seminar_lib.models import Classifier
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.diffusion.drawing import BARS, PANELS, SIDE, TOP, WIDTH, draw_draws, draw_way
from seminar_lib.widgets.diffusion.scene import ATTACKS, DRAWS, TIMES, Purification
from seminar_lib.widgets.images import ImageDemo, check_reader, slider

SIZE = (872, 384)
ROWS = 15  # wrong classes with a bar of their own
WORDS = ("clean", "attacked until it is misread", "attacked to the end")


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        attack: its place among ``ATTACKS``.
        t: how many steps the image goes towards noise, one of ``TIMES``.
    """

    image: int = 0
    attack: int = 1
    t: int = 50


class DiffusionDemo(ImageDemo[State]):
    """Drown an image in noise and take it out again; see what the network says before and after.

    All images are attacked when the demo is made, by an adversary who does not know the purifier. A way into noise and
    back is computed when it is first looked at, within a moment.

    Args:
        model: the classifier, images in [0, 1] to logits (B, K).
        network: the diffusion model, such as ``load("signs/ddpm")`` returns.
        data: the images to choose from, on the device of both.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = SIDE
    lines = 2

    def __init__(self, model: Model, network: nn.Module, data: Split, classes: Sequence[str]) -> None:
        check_reader(model, data, classes)
        if not isinstance(network, nn.Module) or isinstance(network, Classifier):
            raise TypeError(f"DiffusionDemo needs a network, x_t and t to noise; got {type(network).__name__}.")
        self.purification = Purification(model, network, data)
        super().__init__(
            model,
            data,
            classes,
            State(),
            "An image, the same image with noise, and what a diffusion model makes of it, with the network's answers; "
            "the sentences above say the result.",
        )

    def rows(self) -> list[dict[str, SelectionSlider]]:
        """Image and attack, and below them the time."""
        return [
            {
                "image": self.image_slider(),
                "attack": slider("attack", [(name, place) for place, name in enumerate(ATTACKS)], 424),
            },
            {"t": slider("t", [(f"{t}", t) for t in TIMES], 868)},
        ]

    def render(self, state: State) -> Pixels:
        """Image, noisy image and purified image at the left, with all draws below them; the answer to the first."""
        way, true = self.purification.way(state.image, state.attack, state.t), self.true(state.image)
        canvas = Canvas(*SIZE)
        titles = ("attacked" if state.attack else "clean", f"t = {state.t}", "purified")
        draw_way(canvas, way, state.t, titles, self.enlarge)
        below = TOP + SIDE + 20
        self.draw_answer(canvas, (PANELS[0], below), state.image, way.p_before, 13)
        self.draw_answer(canvas, (PANELS[2], below), state.image, way.p[0], 13)
        draw_draws(canvas, way, true, self.classes, max(1, self.enlarge // 2))
        canvas.text((BARS[0], 24), f"the network on the purified image, true: {self.classes[true]}", 13)
        peaks = self.purification.peaks(state.image)
        self.draw_bars(canvas, BARS, state.image, way.p[0], peaks, WIDTH, ROWS)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """What the network says without the purifier, behind it, and in how many draws it is right."""
        way, true = self.purification.way(state.image, state.attack, state.t), self.true(state.image)
        right = int((way.p.argmax(1) == true).sum())
        return (
            f"Image {state.image + 1}, {self.classes[true]}, {WORDS[state.attack]}: without purifier the network says "
            f"{self.answer(way.p_before)}. With noise up to t = {state.t}, and back, it says {self.answer(way.p[0])}; "
            f"right in {right} of {DRAWS} draws."
        )
