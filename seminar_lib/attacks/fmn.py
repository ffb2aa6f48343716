"""Fast Minimum-Norm: gradient steps in a ball whose radius closes in on the boundary, for each image its own.

Pintor, Roli, Brendel & Biggio, "Fast minimum-norm adversarial attacks through adaptive norm constraints", NeurIPS 2021,
algorithm 1:

    radius = min((1 - gamma) radius, nearest success)    where x_adv succeeds
             (1 + gamma) radius                          where it fails; before the first success at least
             |x_adv - x| + |loss| / |grad loss|*         how far the boundary would be if the network were linear
    x_adv  = project(x_adv + step_size grad / |grad|, radius)

The loss crosses zero at the boundary, |.| is the threat's norm and |.|* its dual; the gradient's length is Euclidean.
``step_size`` and ``gamma`` fall along a cosine: bold at first, precise at the end. Two departures: the radius always
grows until the first success, where the paper's estimate comes to a stop if many pixels are at 0 or 1 and cannot move;
and the nearest success is drawn back along its line to the boundary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from seminar_lib.attacks.base import Best, Generator, climb, look
from seminar_lib.attacks.hyperplane import just_short
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.goals import Goal, Score
from seminar_lib.threat import L2, wide
from seminar_lib.types import Images, PerExample

LAST_STEP, LAST_GAMMA = 0.01, 0.001  # what the cosines fall to: a share of the first step, and a gamma


@dataclass(frozen=True, repr=False)
class FMN(MinimumNorm):
    """A walk to and fro across the boundary, for any p-norm ball: Linf, L2 or L1.

    Attributes:
        steps: gradient steps.
        step_size: Euclidean length of the first step, whatever the threat, in pixels of [0, 1].
        gamma: share by which the radius changes at first, in (0, 1).
        refinements: forward passes that draw a success back to the boundary; 0 leaves it where it was found.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    lengths: ClassVar[tuple[str, ...]] = ()  # its steps are as long, whatever the threat
    steps: int = 100
    step_size: float = 1.0
    gamma: float = 0.05
    refinements: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.refinements < 0:
            raise ValueError(
                f"FMN needs at least one step and refinements >= 0; got steps={self.steps}, "
                f"refinements={self.refinements}."
            )
        if not 0 < self.step_size < math.inf:
            raise ValueError(f"FMN needs a finite step_size > 0, in pixels of [0, 1]; got {self.step_size}.")
        if not 0 < self.gamma < 1:
            raise ValueError(f"FMN needs gamma, a share of the radius, in (0, 1); got {self.gamma}.")

    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """One walk of each image, which ends early only at a success within ``enough``. Nothing is drawn."""
        zero = torch.zeros_like(x[:, 0, 0, 0])
        best = Best(x, Score(zero, zero.bool()))  # of two successes, the nearer: the loss is -distance
        rows, aim, clean, x_adv, radius = best.all(), goal, x, x, zero
        for step in range(self.steps):
            share = (1 + math.cos(math.pi * step / self.steps)) / 2
            step_size = self.step_size * (LAST_STEP + (1 - LAST_STEP) * share)
            gamma = LAST_GAMMA + (self.gamma - LAST_GAMMA) * share

            score, grad = climb(aim, x_adv)
            best.offer(rows, x_adv, Score(-self.threat.norm(x_adv - clean), score.success))
            fooled, nearest = best.success[rows], -best.loss[rows]
            smaller = torch.minimum((1 - gamma) * radius, nearest)
            larger = (1 + gamma) * radius
            larger = torch.where(fooled, larger, torch.maximum(larger, self._linear(clean, x_adv, score, grad)))
            radius = torch.where(score.success, smaller, larger)
            x_adv = self._project(x_adv + step_size * L2().steepest(grad), clean, radius)

            left = ~fooled | (nearest > enough)
            if not left.all():
                rows, clean, x_adv, radius = rows[left], clean[left], x_adv[left], radius[left]
                if not len(rows):
                    return best.x
                aim = goal[rows]
        best.offer(rows, x_adv, Score(-self.threat.norm(x_adv - clean), look(aim, x_adv).success))
        return self.draw_back(goal, x, best.x, self.refinements, enough)

    def _linear(self, x: Images, x_adv: Images, score: Score, grad: Images) -> PerExample:
        """How far from ``x`` the boundary would be if the loss were linear, but no farther than the box is wide."""
        dual = self.threat.dual(grad)
        rest = torch.where(dual > 0, just_short(score.loss, dual).abs() / dual, 0)
        return torch.minimum(self.threat.norm(x_adv - x) + rest, self.threat.norm(torch.maximum(x, 1 - x)))

    def _project(self, x_adv: Images, x: Images, radius: PerExample) -> Images:
        """Each image pulled back to within its own radius of ``x``: balls of all sizes have the same shape."""
        scale = wide((radius / self.threat.eps).clamp_min(1e-9))
        return (x + scale * self.threat.shrink((x_adv - x) / scale)).clamp(0, 1)
