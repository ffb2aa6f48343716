"""DeepFool: walks to the nearest decision boundary as if the network were linear, again and again until it is crossed.

Moosavi-Dezfooli, Fawzi & Frossard, "DeepFool: a simple and accurate method to fool deep neural networks", CVPR 2016,
algorithm 2. Let gap_k = z_k - z_y say how far class k is from winning, and |.|* be the dual norm (the sum of absolute
values for Linf, the Euclidean length for L2). If the network is linear, class k begins at |gap_k| / |grad gap_k|*:

    k     = argmin |gap_k| / |grad gap_k|*
    x_adv = x_adv + (1 + overshoot) |gap_k| / |grad gap_k|* steepest(grad gap_k),    clipped to [0, 1]

For a linear classifier one step is exact. Three departures: only the wrong classes with the largest logits are looked
at, and after the first step, near a boundary, hardly more than the class behind it; no step is shorter than a small
share of the way so far, for a walk that comes ever nearer to a boundary would never cross it; and a success is drawn
back along its line to the boundary, which is often overshot by more than intended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seminar_lib.attacks.base import Generator, look, slopes
from seminar_lib.attacks.hyperplane import just_short
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.goals import Goal
from seminar_lib.threat import L2, Linf, wide
from seminar_lib.types import Images, PerExample

LATER = 2  # classes that are looked at from the second step on
LEAST = 0.005  # length of the shortest step, as a share of the distance from x


@dataclass(frozen=True, repr=False)
class DeepFool(MinimumNorm):
    """Steps to the nearest boundary of the linearised network, in Linf or L2.

    Where a boundary lies is a matter of small differences between logits, so the search is exact.

    Attributes:
        steps: how often the network is linearised, at most; two or three times are enough for most images.
        overshoot: how far beyond the boundary a step leads, as a share of its length.
        classes: how many wrong classes the first step looks at, the most likely ones. Each costs a backward pass.
        refinements: forward passes that draw a success back to the boundary; 0 leaves it where it was found.

    Raises:
        TypeError: the threat model is neither Linf nor L2.
        ValueError: a hyperparameter is out of range.
    """

    exact: ClassVar[bool] = True
    steps: int = 50
    overshoot: float = 0.02
    classes: int = 4
    refinements: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.threat, Linf | L2):
            raise TypeError(f"DeepFool steps in Linf or L2; got {self.threat!r}. Take FMN for it.")
        if self.steps < 1 or self.classes < 1:
            raise ValueError(
                f"DeepFool needs at least one step and one class; got steps={self.steps}, classes={self.classes}."
            )
        if not 0 < self.overshoot < 1:
            raise ValueError(f"DeepFool needs an overshoot in (0, 1), to cross the boundary; got {self.overshoot}.")
        if self.refinements < 0:
            raise ValueError(f"DeepFool needs refinements >= 0; got {self.refinements}.")

    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """Up to ``steps`` steps for each image, which leaves the walk at its first success. Nothing is drawn."""
        found = x.clone()
        rows = (~look(goal, x).success).nonzero().squeeze(1)
        x_adv = x[rows]
        for number in range(self.steps):
            if not len(rows):
                break
            aim, classes = goal[rows], min(self.classes, LATER) if number else self.classes
            least = LEAST * self.threat.norm(x_adv - x[rows])
            x_adv = (x_adv + (1 + self.overshoot) * self._step(aim, x_adv, classes, least)).clamp(0, 1)
            won = look(aim, x_adv).success
            found[rows[won]] = x_adv[won]
            rows, x_adv = rows[~won], x_adv[~won]
        return self.draw_back(goal, x, found, self.refinements, enough)

    def _step(self, goal: Goal, x_adv: Images, classes: int, least: PerExample) -> Images:
        """The shortest way to the linearised boundary of one of the classes, but no shorter than ``least``."""
        gaps, slants = _linearise(goal, x_adv, classes)
        dual = torch.stack([self.threat.dual(slant) for slant in slants])  # (K, B)
        distance, nearest = torch.where(dual > 0, just_short(gaps, dual).abs() / dual, torch.inf).min(0)
        length = torch.maximum(distance.nan_to_num(posinf=0), least)  # without a slope there is nowhere to go
        slant = slants[nearest, torch.arange(len(x_adv), device=x_adv.device)]
        return wide(length) * self.threat.steepest(slant)


def _linearise(goal: Goal, x_adv: Images, classes: int) -> tuple[Tensor, Tensor]:
    """The gaps of the likeliest classes, (K, B), and their gradients, (K, B, C, H, W).

    Raises:
        ValueError, FloatingPointError: as ``slopes``.
    """
    x_adv = x_adv.detach().requires_grad_()
    with torch.enable_grad():
        gaps = goal.gaps(x_adv, classes).T
    return gaps.detach(), torch.stack(slopes(list(gaps), x_adv))
