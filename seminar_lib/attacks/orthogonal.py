"""Orthogonal PGD: fool two at once by climbing one at a time, never at the other's expense.

Bryniarski et al., "Evading Adversarial Example Detection Defenses with Orthogonal Projected Gradient Descent", ICLR
2022, section 4.2. With f the gradient of the first loss, that of the classifier, and g that of the second,

    direction = f                            while the classifier is not fooled
    direction = g - (g.f / f.f) f            once it is: down with the score, along what the classifier does not notice

The sum f + weight g has to be weighed, for each detector and really for each image: too little weight and the alarm
stays on, too much and the label stays right. Here there is nothing to weigh. In the paper (eq. 6) f is walked without
its part along g, too; this is the variant of their code that projects the detector's gradient alone. Under Linf the
sign of the direction is what is walked, as in their code, and a sign is orthogonal only roughly; what goes wrong is
repaired by the next step. Ours starts at random points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from seminar_lib.attacks.base import Generator, climb
from seminar_lib.attacks.pgd import PGD
from seminar_lib.goals import Both, Goal, Score
from seminar_lib.threat import PIXELS, wide
from seminar_lib.types import Images, PerExample


@dataclass(frozen=True, repr=False)
class OrthogonalPGD(PGD):
    """PGD on two goals in turns; for ``run`` with ``Both(first, second)``, whose weight only ranks what was found.

    Raises:
        TypeError: in a call, when the goal is not ``Both``.
    """

    exact: ClassVar[bool] = True

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        if not isinstance(goal, Both):
            raise TypeError(
                f"OrthogonalPGD climbs two goals at once, OrthogonalPGD().run(Both(first, second), x); got "
                f"{type(goal).__name__}. For one goal take PGD."
            )
        return super().search(_Turns(goal), x, generator)


@dataclass(frozen=True, eq=False)
class _Turns(Goal):
    """Both goals, with the slope of the one whose turn it is.

    Until the first is won nobody asks about the second, and the loss is that of the first: an image that never
    fools the classifier costs no look at the detector.
    """

    goal: Both

    def __call__(self, x: Images) -> Score:
        if not x.requires_grad:
            return self.goal(x)
        first, f = climb(self.goal.first, x)
        loss, success, direction = first.loss.clone(), first.success.clone(), f.clone()
        rows = first.success.nonzero().squeeze(1)
        if len(rows):
            second, g = climb(self.goal.second[rows], x[rows])
            direction[rows] = without(g, f[rows])
            loss[rows], success[rows] = self.goal.join(Score(first.loss[rows], first.success[rows]), second)
        return Score(_Slope.apply(x, loss, direction), success)


def without(g: Images, f: Images) -> Images:
    """What is left of ``g`` without its part along ``f``, image by image; all of it where ``f`` is zero."""
    scaled = f / wide(f.abs().amax(PIXELS)).clamp_min(torch.finfo(f.dtype).tiny)  # or its square may underflow
    share = (g * scaled).sum(PIXELS) / scaled.square().sum(PIXELS).clamp_min(torch.finfo(f.dtype).tiny)
    return g - wide(share) * scaled


class _Slope(torch.autograd.Function):
    """Values that come with a slope of their own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, loss: PerExample, slope: Images) -> PerExample:
        ctx.save_for_backward(slope)
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return wide(grads[0]) * slope, None, None
