"""The demo of lesson 12: six networks without a name, some of them honest. Which one hides its gradient, and how?

For each network the picture shows what an evaluation would show, accuracies under five attacks, and next to them the
evidence: where slopes are zero, whether two looks agree, and how sure the network stays of one image along

    its own gradient    the gradient of the undefended network    random signs

An honest network falls along its own gradient as fast as along any other. Measuring takes seconds, so all of it is done
when the demo is made; a control only draws.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ipywidgets import Layout, ToggleButtons, ValueWidget
from torch import nn

from seminar_lib.data.dataset import Split
from seminar_lib.masking import DEFENCES
from seminar_lib.plots import INK
from seminar_lib.plots.style import answer_look
from seminar_lib.quiz import letter
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.images import ImageDemo, as_bytes, check_reader, hwc, slider
from seminar_lib.widgets.masking.drawing import BARS, WAYS, draw_symptoms, draw_ways
from seminar_lib.widgets.masking.quiz import HIDDEN, WORDS, Guess, truth, verdict
from seminar_lib.widgets.masking.symptoms import LONGEST, Symptoms, examine

WIDTH, HEIGHT = 872, 380
IMAGE = (318, 60)  # its upper left corner
VERDICT = 318  # baseline


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        network: its place among the six, from 0 (A).
        image: its place among the images, from 0.
        guess: the trick that the student suspects.
    """

    network: int = 0
    image: int = 0
    guess: Guess = "none"


class MaskingDemo(ImageDemo[State]):
    """Choose a network, look at its symptoms, and name its trick.

    Args:
        model: the network without a defence, images in [0, 1] to logits (B, K).
        robust: one that is trained adversarially.
        data: the images to measure on, on the models' device; a few dozen, for all are measured at once.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = 128
    lines = 3

    def __init__(self, model: nn.Module, robust: nn.Module, data: Split, classes: Sequence[str]) -> None:
        for network in (model, robust):
            check_reader(network, data, classes)
        honest = {"standard": model, "pgd_at": robust}
        self.networks = [honest.get(name) or DEFENCES[name].build(model) for name in HIDDEN]
        self.measured = cache(self._measured)
        super().__init__(
            model,
            data,
            classes,
            State(),
            "The accuracy of an unnamed network under five attacks, its slopes, and how sure it stays along "
            "three ways from one image; the sentences above say the result.",
        )
        for place in range(len(HIDDEN)):
            self.measured(place)

    def rows(self) -> list[dict[str, ValueWidget]]:
        """Network and image, then the guess."""
        letters = [(letter(place), place) for place in range(len(HIDDEN))]
        guess = ToggleButtons(
            options=[(words, guess) for guess, words in WORDS.items()],
            description="guess",
            style={"description_width": "64px", "button_width": "128px"},
            layout=Layout(width="872px"),
        )
        return [
            {"network": slider("network", letters, 424), "image": self.image_slider()},
            {"guess": guess},
        ]

    def render(self, state: State) -> Pixels:
        """Accuracies and evidence at the left, one image and its three ways at the right, the verdict below."""
        canvas = Canvas(WIDTH, HEIGHT)
        found, true = self.measured(state.network), self.classes[self.true(state.image)]
        canvas.text((BARS[0], 24), f"network {letter(state.network)}", 18, bold=True)
        draw_symptoms(canvas, found, len(self.data))
        canvas.text((IMAGE[0], IMAGE[1] - 12), true, 14)
        pixels = as_bytes(hwc(self.data[state.image : state.image + 1].x)[0])
        canvas.image(IMAGE, pixels, self.enlarge)
        draw_ways(canvas, found, state.image, true)
        right = truth(state.network)
        colour = INK if state.guess == "none" else answer_look(state.guess == right)[1]
        for line, words in enumerate(verdict(state.network, state.guess)):
            canvas.text((BARS[0], VERDICT + 24 * line), words, 14, colour, bold=line == 0)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Accuracies, evidence, the three ways and the verdict in words."""
        found = self.measured(state.network)
        counts = ", ".join(f"{attack} {right}" for attack, right in found.right.items())
        ends = ", ".join(f"{WAYS[way]} {p[state.image, -1]:.0%}" for way, p in found.p.items())
        start = found.p["own"][state.image, 0]
        return (
            f"Network {letter(state.network)}, right answers of {len(self.data)}: {counts}. "
            f"{'. '.join(found.facts())}. Image {state.image + 1}, "
            f"{self.classes[self.true(state.image)]}: probability {start:.0%}, after {LONGEST}/255 along {ends}. "
            f"{' '.join(verdict(state.network, state.guess))}"
        )

    def _measured(self, network: int) -> Symptoms:
        return examine(self.networks[network], self.model, self.data.x, self.data.y)
