"""The demo of lesson 09: how many of the noisy copies agree, what that proves, and how far it reaches.

Each sigma has its own network, the one that was trained on that noise: a network votes well only on noise that it
knows, so that moving sigma under one network would show little but its ignorance. What is left to be seen is the
bargain itself: more noise, a longer radius, and fewer images for which anything is certain.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipywidgets import SelectionSlider

from seminar_lib.data.dataset import Split
from seminar_lib.plots import GREY
from seminar_lib.smoothing import Smoothed
from seminar_lib.types import Model
from seminar_lib.widgets.canvas import Canvas, Pixels
from seminar_lib.widgets.demo import check_named
from seminar_lib.widgets.images import ImageDemo, as_bytes, check_reader, hwc, slider
from seminar_lib.widgets.smoothing.drawing import (
    BARS,
    COPIES_AT,
    WIDTH,
    draw_copies,
    draw_probability,
    draw_radius,
    draw_verdict,
)
from seminar_lib.widgets.smoothing.scene import ALPHA, CHOOSING, COPIES, LOOKS, Polls

SIZE = (872, 384)
IMAGE = (8, 40)  # upper left corner of the clean image
STEADY = 100  # copies after which the order of the bars is settled


@dataclass(frozen=True)
class State:
    """What the demo shows.

    Attributes:
        image: its place among the images, from 0.
        noise: the place of sigma among the deviations, from 0.
        looks: how many noisy copies have voted.
    """

    image: int = 0
    noise: int = 0
    looks: int = 100


class SmoothingDemo(ImageDemo[State]):
    """Change the noise and the number of copies, and see what is certain of an image.

    All votes on the first image are counted when the demo is made. Those on another take up to a second or two for
    each sigma, once.

    Args:
        networks: for each sigma, in pixels of [0, 1], a network that was trained on such noise; images to logits.
        data: the images to choose from, on the networks' device.
        classes: the K class names.

    Raises:
        TypeError, ValueError: the inputs do not fit together.
    """

    panel = 96
    lines = 2

    def __init__(self, networks: Mapping[float, Model], data: Split, classes: Sequence[str]) -> None:
        check_named("SmoothingDemo", "a network for each sigma, such as {0.25: model}", networks)
        for model in networks.values():
            check_reader(model, data, classes)
        self.polls = [Polls(Smoothed(model, sigma), data) for sigma, model in sorted(networks.items())]
        for polls in self.polls:
            polls.proof(0, LOOKS[-1])
        self.end = max(polls.proof(0, LOOKS[-1]).largest for polls in self.polls)
        super().__init__(
            next(iter(networks.values())),
            data,
            classes,
            State(),
            "Noisy copies of an image with the network's answers, the votes as bars, the lower bound of the "
            "probability and the certified radius; the sentences above say the result.",
        )

    def rows(self) -> list[dict[str, SelectionSlider]]:
        """Image and noise, and below them the number of copies."""
        sigmas = [(f"{polls.smoothed.sigma:g}", place) for place, polls in enumerate(self.polls)]
        return [
            {"image": self.image_slider(), "noise": slider("sigma", sigmas, 424)},
            {"looks": slider("n", [(f"{looks}", looks) for looks in LOOKS], 868)},
        ]

    def render(self, state: State) -> Pixels:
        """The image and its copies at the left, the votes and what they prove at the right."""
        polls, true = self.polls[state.noise], self.true(state.image)
        proof = polls.proof(state.image, state.looks)
        canvas = Canvas(*SIZE)
        canvas.text((IMAGE[0], 24), self.classes[true], 14, bold=True)
        canvas.image(IMAGE, as_bytes(hwc(self.data[state.image : state.image + 1].x)[0]), self.enlarge)
        for row, words in enumerate((f"{CHOOSING} other copies", "choose the label:", self.classes[proof.label])):
            canvas.text((IMAGE[0] + 110, IMAGE[1] + 36 + 20 * row), words, 13, bold=row == 2)
        canvas.text((COPIES_AT[0], COPIES_AT[1] - 10), f"{COPIES} copies with noise of {proof.sigma:g}", 13, GREY)
        draw_copies(canvas, polls.copies(state.image), true, self.classes, max(1, 2 * self.enlarge // 3))
        canvas.text((BARS[0], 24), f"votes of {state.looks} copies", 14)
        steady = polls.proof(state.image, STEADY).votes
        self.draw_bars(canvas, BARS, state.image, proof.votes / state.looks, steady / STEADY, WIDTH)
        draw_probability(canvas, proof)
        draw_radius(canvas, proof, self.end)
        draw_verdict(canvas, proof, true, self.classes[proof.label])
        return canvas.pixels()

    def describe(self, state: State) -> str:
        """Votes, bound, radius and verdict in words."""
        proof = self.polls[state.noise].proof(state.image, state.looks)
        true, label = self.classes[self.true(state.image)], self.classes[proof.label]
        votes = (
            f"Image {state.image + 1}, {true}, sigma = {proof.sigma:g}: of {state.looks} noisy copies {proof.hits} are "
            f"taken for {label}. Its probability is at least {proof.p_lower:.3f} (alpha = {ALPHA:g})"
        )
        if proof.radius == 0:
            return f"{votes}, no more than a half: ABSTAIN."
        verdict = "right" if label == true else "wrong"
        return (
            f"{votes}: no image nearer than the radius {proof.radius:.2f} gets another answer. The answer is {verdict}."
        )
