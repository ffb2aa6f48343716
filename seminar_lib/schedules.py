"""Learning-rate schedules: progress of the training in [0, 1] to a share of the largest rate."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Drops:
    """The learning rate times ``factor`` at each of these points of the training, in [0, 1].

    Raises:
        ValueError: ``at`` holds something else.
    """

    at: tuple[float, ...] = (0.9, 0.95)
    factor: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.at, tuple) or not all(0 <= point <= 1 for point in self.at):
            raise ValueError(f"Drops needs the points of the training, such as at=(0.5, 0.75); got at={self.at!r}.")

    def __call__(self, progress: float) -> float:
        return self.factor ** sum(progress >= point for point in self.at)


@dataclass(frozen=True)
class Cosine:
    """The learning rate falls along half a cosine to ``floor`` (Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5).

    Attributes:
        warmup: the share of the training, in [0, 1), in which it first rises from zero in a line.
        floor: where it ends, as a share of the largest rate.

    Raises:
        ValueError: the share is not in [0, 1).
    """

    warmup: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup < 1:
            raise ValueError(f"Cosine rises for a share of the training, 0 <= warmup < 1; got warmup={self.warmup}.")

    def __call__(self, progress: float) -> float:
        if progress < self.warmup:
            return progress / self.warmup
        fallen = (progress - self.warmup) / (1 - self.warmup)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * fallen)) / 2


@dataclass(frozen=True)
class OneCycle:
    """The learning rate rises in a line until ``peak`` of the training, then falls in a line to zero (Smith, 2018).

    Raises:
        ValueError: ``peak`` is not in [0, 1).
    """

    peak: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.peak < 1:
            raise ValueError(f"OneCycle peaks before the training ends, 0 <= peak < 1; got peak={self.peak}.")

    def __call__(self, progress: float) -> float:
        return progress / self.peak if progress < self.peak else (1 - progress) / (1 - self.peak)
