"""The walk of APGD in an L1 ball: sparse steps, in a ball that closes in.

Croce & Hein, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", ICML 2021, section 3. Three
things differ from the other balls:

- a step changes neither one value (the steepest direction, far too slow) nor all (the projection would take most of
  them back), but two thirds as many as the best image has changed so far, and all by the same amount;
- the step becomes shorter while that number stands still, and long again once it has fallen;
- a walk starts in a ball of three times the radius, where there is more to find, and ends in the right one.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from seminar_lib.attacks.base import Best, Generator
from seminar_lib.attacks.walk import Walk
from seminar_lib.goals import Goal
from seminar_lib.threat import L1, wide
from seminar_lib.types import Images, PerExample

STAGES = ((3, 0.3), (2, 0.3), (1, 0.4))  # radius in units of eps, and the share of the steps spent there
PERIOD = 0.04  # share of a stage's steps between two checkpoints
FEWER = 1.5  # the best image has changed so many times more values than the next step will
FALLEN = 0.95  # the number of changed values has fallen where it is below this share of the last one
SHORTER, SHORTEST = 1.5, 10  # a step of eps is divided by the first again and again, but never by more than the second


def closing_walk(threat: L1, steps: int, goal: Goal, x: Images, rows: Tensor, generator: Generator) -> SparseWalk:
    """The last stage of a walk of the images ``rows`` from a random start; the stages before it have been walked."""
    clean, left = x[rows], steps
    x_adv = clean + torch.empty_like(clean).normal_(generator=generator)
    for radius, share in STAGES:
        ball = replace(threat, eps=radius * threat.eps)
        length = left if ball == threat else round(share * steps)
        walk = SparseWalk(ball, length, goal, x, rows, ball.project(x_adv, clean))
        if ball == threat:
            break
        walk.run(Best(x), stop_when_fooled=False)  # a success out here is none yet
        x_adv, left = walk.top, left - length
    return walk


class SparseWalk(Walk):
    """One stage.

    Attributes:
        size: L1 length of the next step.
        changed: how many values the best image changed at the last checkpoint.
    """

    def __init__(self, threat: L1, steps: int, goal: Goal, x: Images, rows: Tensor, start: Tensor) -> None:
        super().__init__(threat, steps, goal, x, rows, start)
        self.size = torch.full_like(self.top_loss, threat.eps)
        self.changed = self._changed()

    def step(self, number: int) -> None:
        """The steepest values move, all by the same amount."""
        slopes = self.grad.abs().flatten(1)
        count = (self.changed / FEWER).long().clamp_min(1)
        least = slopes.sort(1, descending=True).values.gather(1, count[:, None] - 1)
        direction = self.grad.sign() * (slopes >= least).view_as(self.grad)
        stride = self.size / self.threat.norm(direction).clamp_min(1)
        self.x_adv = self.threat.project(self.x_adv + wide(stride) * direction, self.x)

    def reconsider(self, number: int) -> None:
        """At a checkpoint: fewer values and the full step where the best image has become sparser."""
        if number % max(int(PERIOD * self.steps), 1):
            return
        changed = self._changed()
        sparser = changed < FALLEN * self.changed
        shorter = (self.size / SHORTER).clamp_min(self.threat.eps / SHORTEST)
        self.size = torch.where(sparser, self.threat.eps, shorter)
        self.back_to_top(sparser)
        self.changed = changed

    def _changed(self) -> PerExample:
        return (self.top != self.x).flatten(1).sum(1).to(self.top.dtype)
