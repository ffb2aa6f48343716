"""Auto-PGD: PGD with momentum that finds its own step size.

Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
2020, section 3 and algorithm 1:

    z       = project(x_t + size * steepest(grad_x loss(f(x_t), y)))
    x_{t+1} = project(x_t + 0.75 (z - x_t) + 0.25 (x_t - x_{t-1}))

The step starts at 2 eps. At each checkpoint an image that no longer makes progress goes back to its best point and
halves its step: a walk explores first and settles later. Ours leaves an image alone from its first success on, where
the paper walks to the end, and starts anywhere in the ball, where its authors start on the surface. In L1 balls steps
are another matter: see ``apgd_l1.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from seminar_lib.attacks.apgd_l1 import closing_walk
from seminar_lib.attacks.base import Attack, Best, Generator, look
from seminar_lib.attacks.walk import Walk
from seminar_lib.goals import Goal, Score
from seminar_lib.losses import Loss, margin, rival_dlr
from seminar_lib.threat import L1, ThreatModel, wide
from seminar_lib.types import Images

ALPHA = 0.75  # share of the gradient in each step; the rest is momentum (section 3.1)
RHO = 0.75  # share of the steps that have to raise the loss (section 3.2)
FIRST, FEWER, FEWEST = 0.22, 0.03, 0.06  # checkpoints, as shares of all steps: 22 %, then 19 %, ... down to 6 % apart


@dataclass(frozen=True, repr=False)
class APGD(Attack):
    """PGD with momentum, in which each image halves its step where it stops to make progress.

    Attributes:
        steps: gradient steps of one walk.
        restarts: walks from different random starts; the best image of all of them is returned.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    steps: int = 100
    restarts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.restarts < 1:
            raise ValueError(
                f"{type(self).__name__} needs at least one step and one restart; "
                f"got steps={self.steps}, restarts={self.restarts}."
            )

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """``restarts`` walks over the examples that are still worth attacking."""
        best = Best(x)
        for _ in range(self.restarts):
            rows = best.unfooled() if self.stop_when_fooled else best.all()
            if not len(rows):
                break
            self._walk(goal, x, rows, generator).run(best, self.stop_when_fooled)
        return best.x

    def _walk(self, goal: Goal, x: Images, rows: Tensor, generator: Generator) -> Walk:
        if isinstance(self.threat, L1):
            return closing_walk(self.threat, self.steps, goal, x, rows, generator)
        return HalvingWalk(self.threat, self.steps, goal, x, rows, self.threat.random_start(x[rows], generator))


@dataclass(frozen=True, repr=False)
class APGDTargeted(APGD):
    """APGD towards each of the likeliest wrong classes in turn, on the survivors of the classes before.

    Section 4 of the paper, with the targeted DLR loss. Any wrong class counts as a success, whichever is aimed at.

    Attributes:
        targets: how many wrong classes are tried; no more than there are.
        rival_loss: what a walk climbs, of (logits, y, rival).
        loss: decides between two failures.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    targets: int = 9
    rival_loss: Loss = rival_dlr
    loss: Loss = field(default=margin, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.targets < 1:
            raise ValueError(f"APGDTargeted needs at least one target; got {self.targets}.")

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """One search after the other; each class has as many restarts as there are."""
        best = Best(x, look(goal, x))
        for towards in goal.towards(x, self.targets, self.rival_loss):
            rows = best.unfooled() if self.stop_when_fooled else best.all()
            if not len(rows):
                break
            found = super().search(towards[rows], x[rows], generator)
            best.offer(rows, found, look(goal[rows], found))
        return best.x


class HalvingWalk(Walk):
    """The walk in an Linf or L2 ball.

    Attributes:
        before: the points before ``x_adv``.
        size: of the next step.
        rises: steps since the last checkpoint that raised the loss.
        top_loss_then: ``top_loss`` at the last checkpoint.
        halved_then: whether the step was halved there.
    """

    def __init__(self, threat: ThreatModel, steps: int, goal: Goal, x: Images, rows: Tensor, start: Tensor) -> None:
        super().__init__(threat, steps, goal, x, rows, start)
        self.before = start
        self.size = torch.full_like(self.top_loss, 2 * threat.eps)
        self.rises, self.top_loss_then = torch.zeros_like(rows), self.top_loss
        self.halved_then = torch.ones_like(self.score.success)
        self.period = max(int(FIRST * steps), 1)
        self.checkpoint = self.period

    def step(self, number: int) -> None:
        """A share of the step goes along the gradient, the rest on in the old direction."""
        share = ALPHA if number > 1 else 1.0
        along = self.threat.project(self.x_adv + wide(self.size) * self.threat.steepest(self.grad), self.x)
        onward = self.x_adv + share * (along - self.x_adv) + (1 - share) * (self.x_adv - self.before)
        self.before, self.x_adv = self.x_adv, self.threat.project(onward, self.x)

    def note(self, score: Score, grad: Images) -> None:
        self.rises = self.rises + (score.loss > self.score.loss)
        super().note(score, grad)

    def reconsider(self, number: int) -> None:
        """At a checkpoint: back to the best point with half the step, where the walk is stuck.

        Stuck means that too few steps rose, or that a whole period found nothing better. A period at a size that is
        new, after a halving, gets a second chance before the latter counts.
        """
        if number != self.checkpoint:
            return
        stuck = (self.rises <= RHO * self.period) | (~self.halved_then & (self.top_loss <= self.top_loss_then))
        self.size = torch.where(stuck, self.size / 2, self.size)
        self.back_to_top(stuck)
        self.rises, self.top_loss_then, self.halved_then = torch.zeros_like(self.rises), self.top_loss, stuck
        self.period = max(self.period - max(int(FEWER * self.steps), 1), int(FEWEST * self.steps), 1)
        self.checkpoint += self.period
