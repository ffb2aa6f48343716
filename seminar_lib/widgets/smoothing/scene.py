"""The votes of noisy copies of one image, and what they prove.

Whoever asks for more copies keeps those that have been counted: the votes of 50 are among those of 100. So each part of
the way to the largest number has a stream of random numbers of its own, and is counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.smoothing import Smoothed
from seminar_lib.smoothing.average import draw_noise, noisy_logits
from seminar_lib.smoothing.bounds import largest_radius, lower_bound, radius
from seminar_lib.widgets.images import hwc

LOOKS = (10, 20, 50, 100, 200, 500, 1000)
CHOOSING = 20  # further copies, which choose the label
COPIES = 8  # that are shown
ALPHA = 0.001


@dataclass(frozen=True, eq=False)
class Copies:
    """Some noisy copies of an image.

    Attributes:
        pixels: (COPIES, H, W, C); noise has carried some out of [0, 1].
        answers: the network's label for each.
    """

    pixels: NDArray[np.float64]
    answers: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Proof:
    """What ``looks`` copies prove of one image.

    Attributes:
        label: what most of the choosing copies were taken for; it is this label that is tested.
        votes: of the other copies, (K,).
        sigma: of the noise.
        looks: how many copies voted.
    """

    label: int
    votes: NDArray[np.int64]
    sigma: float
    looks: int

    @property
    def hits(self) -> int:
        """The votes for the label."""
        return int(self.votes[self.label])

    @property
    def p_lower(self) -> float:
        """What the probability of the label is at least."""
        return float(lower_bound(self.hits, self.looks, ALPHA))

    @property
    def radius(self) -> float:
        """Within which the answer stays; 0 where nothing is certain."""
        return float(radius(self.p_lower, self.sigma))

    @property
    def largest(self) -> float:
        """The radius if all copies had agreed."""
        return largest_radius(self.looks, ALPHA, self.sigma)


class Polls:
    """Ask a smoothed network about single images.

    Args:
        smoothed: a network with its noise.
        data: the images, on the network's device.
    """

    def __init__(self, smoothed: Smoothed, data: Split) -> None:
        self.smoothed, self.data = smoothed, data
        self.choice = lru_cache(maxsize=None)(self._choice)
        self.votes = lru_cache(maxsize=None)(self._votes)
        self.copies = lru_cache(maxsize=64)(self._copies)

    def proof(self, image: int, looks: int) -> Proof:
        """What the first ``looks`` copies of an image prove; ``looks`` is one of ``LOOKS``."""
        return Proof(self.choice(image), self.votes(image, LOOKS.index(looks)), self.smoothed.sigma, looks)

    def _choice(self, image: int) -> int:
        return int(self._ask(image, CHOOSING, 0).argmax())

    def _votes(self, image: int, place: int) -> NDArray[np.int64]:
        """The votes of the first LOOKS[place] copies."""
        if place == 0:
            return self._ask(image, LOOKS[0], 1)
        return self.votes(image, place - 1) + self._ask(image, LOOKS[place] - LOOKS[place - 1], place + 1)

    def _ask(self, image: int, looks: int, part: int) -> NDArray[np.int64]:
        one = self.data[image : image + 1].x
        generator = torch.Generator().manual_seed((1 + len(LOOKS)) * image + part)
        votes: NDArray[np.int64] = self.smoothed.votes(one, looks, generator)[0].numpy()
        return votes

    @torch.no_grad()
    def _copies(self, image: int) -> Copies:
        one = self.data[image : image + 1].x
        generator = torch.Generator(one.device).manual_seed(image)
        noise = draw_noise(one, self.smoothed.sigma, COPIES, generator)
        with frozen(self.smoothed.model):
            answers = noisy_logits(self.smoothed.model, one, noise)[0].argmax(1)
        return Copies(hwc(one + noise[0]), tuple(answers.tolist()))
