"""Accuracy against the radius: how a model gives way as the adversary is allowed more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from seminar_lib.attacks import Attack
from seminar_lib.data.dataset import Split
from seminar_lib.evaluation.accuracy import Accuracy
from seminar_lib.evaluation.checks import check_attack, check_measurement
from seminar_lib.evaluation.report import evaluate
from seminar_lib.types import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Curve:
    """Accuracy against the radius of one attack.

    Attributes:
        eps: the radii, rising, in pixels of [0, 1].
        accuracy: at each of them.
        attack: what was run, at its own radius.
    """

    eps: tuple[float, ...]
    accuracy: tuple[Accuracy, ...]
    attack: Attack

    def plot(self, ax: Axes | None = None, label: str | None = None) -> Axes:
        """The curve with its interval as a band; returns the axes."""
        import matplotlib.pyplot as plt

        ax = plt.gca() if ax is None else ax
        levels = [255 * eps for eps in self.eps]
        (line,) = ax.plot(levels, [a.accuracy for a in self.accuracy], marker="o", label=label)
        ax.fill_between(
            levels, [a.low for a in self.accuracy], [a.high for a in self.accuracy], color=line.get_color(), alpha=0.2
        )
        ax.set(xlabel="eps in 1/255", ylabel="accuracy", ylim=(0, 1.02))
        return ax


def accuracy_against_eps(
    model: Model,
    data: Split,
    attack: Attack,
    eps: Iterable[float],
    batch_size: int = 256,
    seed: int = 0,
    progress: bool = True,
) -> Curve:
    """The accuracy that is left at each radius.

    The balls are nested: an image that falls at a small radius has fallen at every larger one, so only the survivors
    are attacked again and the curve never rises.

    Args:
        model: images in [0, 1] to logits.
        data: the images to measure on, on the model's device.
        attack: run at each radius instead of its own. Leave its ``step_size`` open: steps then grow with the radius.
        eps: radii in pixels of [0, 1], rising, from 0 (clean) on.
        batch_size: images at a time.
        seed: of the attack's random numbers.
        progress: show bars.

    Raises:
        TypeError, ValueError: as ``evaluate``; ``attack`` is no attack, the radii do not rise, or the threat model
            refuses one of them.
    """
    check_measurement("accuracy_against_eps", data, batch_size, seed)
    check_attack(attack, "accuracy_against_eps")
    radii = [float(radius) for radius in eps]
    if not radii or not radii[0] >= 0 or not all(a < b for a, b in pairwise(radii)):
        raise ValueError(f"eps must rise from 0 or more; got {radii}.")
    # All of them now, so that a radius that the threat model refuses does not cost the points before it.
    stages = [{"attack": attack.within(replace(attack.threat, eps=r))} if r > 0 else {} for r in radii]
    standing = torch.ones(len(data), dtype=torch.bool)
    points = []
    for attacks in stages:
        left = data[standing.nonzero().squeeze(1).to(data.images.device)]
        if len(left):
            standing[standing.clone()] = evaluate(model, left, attacks, batch_size, seed, progress).worst_case
        points.append(Accuracy.of(standing))
    return Curve(tuple(radii), tuple(points), attack)
