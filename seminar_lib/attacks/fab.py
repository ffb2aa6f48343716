"""FAB: walks along the decision boundary while it is drawn back towards the clean image.

Croce & Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, algorithm 1,
in the targeted version of AutoAttack. With d and d0 the shortest ways from x_t and from x to the boundary of the
network linearised at x_t, and a = min(|d| / (|d| + |d0|), 0.1):

    x_{t+1} = (1 - a) (x_t + 1.05 d) + a (x + 1.05 d0)

A success is kept when it is the nearest so far, and the walk goes on from a point a tenth of the way back to x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seminar_lib.attacks.base import Best, Generator, climb, look
from seminar_lib.attacks.hyperplane import just_short, shortest_way
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.goals import Goal, Score
from seminar_lib.losses import rival_margin
from seminar_lib.threat import PIXELS, wide
from seminar_lib.types import Images, PerExample

BIAS = 0.1  # the largest share of a step that starts at the clean image (alpha_max)
OVERSHOOT = 1.05  # steps lead a little beyond the boundary (eta)
BACK = 0.9  # of the way to a success is kept when the walk goes on (beta)


@dataclass(frozen=True, repr=False)
class FAB(MinimumNorm):
    """A walk along the boundary to each of the likeliest wrong classes, in Linf, L2 or L1.

    Distances to a boundary are small differences, so the search is exact.

    Attributes:
        steps: how often the network is linearised, for each class.
        targets: how many wrong classes are tried; no more than there are.
        restarts: walks for each class: the first from ``x``, each later one from a random image half as far away as
            the threat allows, or as the nearest success so far is where that is nearer.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    exact: ClassVar[bool] = True
    steps: int = 100
    targets: int = 9
    restarts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.targets < 1 or self.restarts < 1:
            raise ValueError(
                "FAB needs at least one step, one target and one restart; "
                f"got steps={self.steps}, targets={self.targets}, restarts={self.restarts}."
            )

    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """One walk after the other; an image with a success that is near enough takes part in no more of them."""
        success = look(goal, x).success
        nearness = torch.zeros_like(x[:, 0, 0, 0]).masked_fill(~success, -torch.inf)
        best = Best(x, Score(nearness, success))
        for towards in goal.towards(x, self.targets, rival_margin):
            for restart in range(self.restarts):
                rows = (~best.success | (-best.loss > enough)).nonzero().squeeze(1)
                if not len(rows):
                    return best.x
                nearest = torch.where(best.success, -best.loss, torch.inf)[rows]
                self._walk(towards, x, rows, self._start(x[rows], restart, nearest, generator), best, enough)
        return best.x

    def _start(self, x: Images, restart: int, nearest: PerExample, generator: Generator) -> Images:
        if restart == 0:
            return x
        direction = self.threat.noise(x, generator)
        share = nearest.clamp(max=self.threat.eps) / 2 / self.threat.norm(direction)
        return (x + wide(share) * direction).clamp(0, 1)

    def _walk(self, goal: Goal, x: Images, rows: Tensor, start: Tensor, best: Best, enough: float) -> None:
        """One walk of the images ``rows``; ``best`` is offered each success, the nearer the better."""
        aim, clean, x_adv = goal[rows], x[rows], start
        for _ in range(self.steps):
            score, slope = climb(aim, x_adv)
            x_adv = self._step(clean, x_adv, score.loss, slope)
            success = look(aim, x_adv).success
            distance = self.threat.norm(x_adv - clean)
            best.offer(rows, x_adv, Score(-distance, success))
            back = wide(torch.where(success, BACK, 1.0))
            x_adv = clean + back * (x_adv - clean)
            arrived = success & (distance <= enough)
            if arrived.any():
                rows, clean, x_adv = rows[~arrived], clean[~arrived], x_adv[~arrived]
                if not len(rows):
                    return
                aim = goal[rows]

    def _step(self, x: Images, x_adv: Images, value: Tensor, slope: Images) -> Images:
        """Beyond the boundary of value + <slope, .>, mostly straight on and partly straight from ``x``."""
        value = just_short(value, self.threat.dual(slope))
        value_at_x = value + (slope * (x - x_adv)).sum(PIXELS)
        here = shortest_way(self.threat, x_adv, value, slope)
        there = shortest_way(self.threat, x, value_at_x, slope)
        ways = self.threat.norm(here), self.threat.norm(there)
        bias = wide((ways[0] / (ways[0] + ways[1]).clamp_min(1e-12)).clamp(max=BIAS))
        return ((1 - bias) * (x_adv + OVERSHOOT * here) + bias * (x + OVERSHOOT * there)).clamp(0, 1)
