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
from typing import Literal, TypeAlias

import numpy as np
import torch
from ipywidgets import Layout, ToggleButtons, ValueWidget
from numpy.typing import NDArray
from torch import Tensor, nn

from seminar_lib.attacks import FGSM, PGD, Attack, Square
from seminar_lib.attacks.base import climb
from seminar_lib.attacks.flags import answers_at_random, blind_share
from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.losses import margin
from seminar_lib.masking import CHANCE, DEFENCES, ROUNDING, SATURATION, SHATTERED
from seminar_lib.plots import BLUE, GREY, INK, RIGHT, VERMILLION, WRONG
from seminar_lib.threat import PIXELS, Linf
from seminar_lib.types import Images, Labels, Model
from seminar_lib.widgets.canvas import Canvas, Marker, Pixels
from seminar_lib.widgets.images import ImageDemo, as_bytes, hwc, slider

Guess: TypeAlias = Literal["none", "honest", "slope", "softmax", "chance", "shattered"]
Way: TypeAlias = Literal["own", "undefended", "random"]

WORDS: dict[Guess, str] = {
    "none": "no guess yet",
    "honest": "nothing hidden",
    "slope": ROUNDING.name,
    "softmax": SATURATION.name,
    "chance": CHANCE.name,
    "shattered": SHATTERED.name,
}
EVIDENCE: dict[Guess, str] = {
    "honest": "It has a slope everywhere, it repeats itself, and no attack that knows less does better than PGD.",
    "slope": "The slope is zero, of the margin as of the cross-entropy, and Square does better than PGD.",
    "softmax": "The cross-entropy has no slope where the margin has one.",
    "chance": "Two looks at the same images differ.",
    "shattered": "There is a slope, and it leads nowhere: the other network's gradient does.",
}
REMEDIES: dict[Guess, str] = {
    "honest": "Report the worst case.",
    "slope": ROUNDING.remedy,
    "softmax": SATURATION.remedy,
    "chance": CHANCE.remedy,
    "shattered": "Give the layer a smooth stand-in: BPDA(layer, stand_in).",
}
# A to F: the name of a planted defence, or of an honest network, with the right guess.
HIDDEN: dict[str, Guess] = {
    "quantise": "slope",
    "pgd_at": "honest",
    "ripple": "shattered",
    "standard": "honest",
    "noise": "chance",
    "temperature": "softmax",
}

BALL = Linf(8 / 255)
LONGEST = 8  # grey levels of a walk: to the edge of the ball
LEVELS = 33  # points on it
QUERIES = 50  # of Square

WIDTH, HEIGHT = 872, 380
BARS = (8, 60)  # upper left corner of the accuracies
FACTS = 216  # the first baseline of the evidence
IMAGE = (318, 60)
PLOT = (490, 60, 846, 250)  # left, top, right, bottom
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


@dataclass(frozen=True)
class Measured:
    """What an evaluation finds in one network.

    Attributes:
        right: images that are read rightly, by attack.
        flat: images at which the cross-entropy, and at which the margin, has no slope at all.
        random: whether two looks differ.
        p: probability of the true class of each image along each way, (images, LEVELS).
    """

    right: dict[str, int]
    flat: tuple[int, int]
    random: bool
    p: dict[Way, NDArray[np.float64]]


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
        for network in range(len(HIDDEN)):
            self.measured(network)

    def rows(self) -> list[dict[str, ValueWidget]]:
        """Network and image, then the guess."""
        letters = [(chr(ord("A") + place), place) for place in range(len(HIDDEN))]
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
        found, n = self.measured(state.network), len(self.data)
        canvas.text((BARS[0], 24), f"network {_letter(state.network)}", 18, bold=True)
        canvas.text((BARS[0], BARS[1] - 12), f"right answers of {n}, Linf 8/255", 13, GREY)
        for row, (attack, right) in enumerate(found.right.items()):
            top = BARS[1] + 26 * row
            canvas.text((BARS[0], top + 15), attack, 14)
            canvas.line([(BARS[0] + 110, top + 10), (BARS[0] + 110 + 140 * right / n, top + 10)], BLUE, 12)
            canvas.text((BARS[0] + 116 + 140 * right / n, top + 15), f"{right}", 14)
        for row, fact in enumerate(self.facts(state.network)):
            canvas.text((BARS[0], FACTS + 24 * row), fact, 14)
        canvas.text((IMAGE[0], IMAGE[1] - 12), self.classes[self.true(state.image)], 14)
        pixels = as_bytes(hwc(self.data[state.image : state.image + 1].x)[0])
        canvas.image(IMAGE, pixels, self.enlarge)
        self._ways(canvas, state)
        for line, words in enumerate(self.verdict(state)):
            colour = INK if state.guess == "none" else BLUE if state.guess == _truth(state) else VERMILLION
            canvas.text((BARS[0], VERDICT + 24 * line), words, 14, colour, bold=line == 0)
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Accuracies, evidence, the three ways and the verdict in words."""
        found = self.measured(state.network)
        counts = ", ".join(f"{attack} {right}" for attack, right in found.right.items())
        ends = ", ".join(f"{_way(way)} {found.p[way][state.image, -1]:.0%}" for way in found.p)
        start = found.p["own"][state.image, 0]
        return (
            f"Network {_letter(state.network)}, right answers of {len(self.data)}: {counts}. "
            f"{'. '.join(self.facts(state.network))}. Image {state.image + 1}, "
            f"{self.classes[self.true(state.image)]}: probability {start:.0%}, after {LONGEST}/255 along {ends}. "
            f"{' '.join(self.verdict(state))}"
        )

    def facts(self, network: int) -> list[str]:
        """The evidence that is not an accuracy, a phrase each."""
        found, n = self.measured(network), len(self.data)
        cross_entropy, of_margin = found.flat
        return [
            f"cross-entropy without slope: {cross_entropy} of {n}",
            f"margin without slope: {of_margin} of {n}",
            f"two looks at the same images {'differ' if found.random else 'agree'}",
        ]

    def verdict(self, state: State) -> list[str]:
        """What to say to a guess: a sentence, and why, and what to do."""
        if state.guess == "none":
            return ["Which trick is it?", "Compare the attacks that know less with PGD, then the three ways."]
        truth = _truth(state)
        if state.guess != truth:
            return [
                f"{WRONG} Not {WORDS[state.guess]}.",
                "That would show itself like this: " + EVIDENCE[state.guess],
            ]
        return [f"{RIGHT} Right: {WORDS[truth]}.", EVIDENCE[truth], REMEDIES[truth]]

    def _measured(self, network: int) -> Measured:
        model, x, y = self.networks[network], self.data.x, self.data.y
        devices = [x.device] if x.device.type == "cuda" else []
        with frozen(model, self.model), torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            goal = Misclassify(model, y)
            _, slope = climb(goal.climbing(margin), x)
            flat = round(len(x) * blind_share(goal, x)), int((slope.abs().amax(PIXELS) == 0).sum())
            return Measured(_accuracies(model, x, y), flat, answers_at_random(goal, x), self._walks(model, x, y))

    def _walks(self, model: Model, x: Images, y: Labels) -> dict[Way, NDArray[np.float64]]:
        """The probability of the true class along the three ways."""
        _, own = climb(Misclassify(model, y), x)
        _, other = climb(Misclassify(self.model, y), x)
        ways: dict[Way, Tensor] = {"own": own, "undefended": other, "random": torch.randn_like(x)}
        lengths = torch.linspace(0, LONGEST / 255, LEVELS, device=x.device)
        walks = {}
        for way, direction in ways.items():
            with torch.no_grad():
                p = [_true(model((x + length * direction.sign()).clamp(0, 1)), y) for length in lengths]
            walks[way] = torch.stack(p, 1).cpu().double().numpy()
        return walks

    def _ways(self, canvas: Canvas, state: State) -> None:
        """The probability of the true class along the three ways, as curves."""
        left, top, right, bottom = PLOT
        canvas.text((left, top - 12), f"probability of {self.classes[self.true(state.image)]}", 14)
        for level, words in ((top, "100%"), (bottom, "0%")):
            canvas.line([(left, level), (right, level)], "#D0D0D0", 1)
            canvas.text((left - 5, level + 4), words, 11, GREY, align="right")
        for tick in range(0, LONGEST + 1, 2):
            words = f"{tick}/255" if tick == LONGEST else f"{tick}"
            canvas.text((left + (right - left) * tick / LONGEST, bottom + 16), words, 11, GREY, align="middle")
        styles: dict[Way, tuple[str, Marker, int]] = {
            "random": (GREY, "square", 286),
            "undefended": (BLUE, "square", 124),
            "own": (VERMILLION, "disc", 0),
        }
        for way, (colour, shape, shift) in styles.items():
            p = self.measured(state.network).p[way][state.image]
            path = [
                (left + (right - left) * place / (LEVELS - 1), bottom + (top - bottom) * float(value))
                for place, value in enumerate(p)
            ]
            canvas.line(path, colour, 3 if way == "own" else 2, dashed=way == "random")
            canvas.marker(path[-1], shape, colour)
            canvas.marker((left + shift, bottom + 34), shape, colour)
            canvas.text((left + shift + 10, bottom + 38), _way(way), 12)


def _accuracies(model: Model, x: Images, y: Labels) -> dict[str, int]:
    """How many images are read rightly, clean, in noise and under three attacks."""
    signs = torch.randn_like(x).sign()
    images = {"clean": x, "noise": (x + BALL.eps * signs).clamp(0, 1)}
    attacks: dict[str, Attack] = {"FGSM": FGSM(BALL), "PGD-20": PGD(BALL, steps=20), "Square": Square(BALL, QUERIES)}
    for name, attack in attacks.items():
        images[name] = attack(model, x, y, generator=torch.Generator(x.device).manual_seed(0))
    with torch.no_grad():
        return {name: int((model(changed).argmax(1) == y).sum()) for name, changed in images.items()}


def _true(logits: Tensor, y: Labels) -> Tensor:
    return logits.softmax(1).gather(1, y[:, None]).squeeze(1)


def _truth(state: State) -> Guess:
    return list(HIDDEN.values())[state.network]


def _letter(network: int) -> str:
    return chr(ord("A") + network)


def _way(way: Way) -> str:
    return {"own": "own gradient", "undefended": "undefended's gradient", "random": "random signs"}[way]
