"""Learning-rate schedules: progress of the training in [0, 1] to a share of the largest rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drops:
    """The learning rate divided by ten at each of these points of the training, in [0, 1]."""

    at: tuple[float, ...] = (0.9, 0.95)

    def __call__(self, progress: float) -> float:
        return 0.1 ** sum(progress >= point for point in self.at)


@dataclass(frozen=True)
class OneCycle:
    """The learning rate rises in a line until ``peak`` of the training, then falls in a line to zero (Smith, 2018)."""

    peak: float = 0.25

    def __call__(self, progress: float) -> float:
        return progress / self.peak if progress < self.peak else (1 - progress) / (1 - self.peak)
