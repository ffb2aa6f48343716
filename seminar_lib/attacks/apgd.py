"""Auto-PGD: PGD with momentum that finds its own step size.

Croce & Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML
2020, section 3 and algorithm 1:

    z       = project(x_t + size * steepest(grad_x loss(f(x_t), y)))
    x_{t+1} = project(x_t + 0.75 (z - x_t) + 0.25 (x_t - x_{t-1}))

The step starts at 2 eps. At each checkpoint an image that no longer makes progress goes back to its best point and
halves its step: a walk explores first and settles later. Ours leaves an image alone from its first success on, where
the paper walks to the end, and starts anywhere in the ball, where its authors start on the surface.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from seminar_lib.attacks.base import Attack, Best, Generator, climb, look
from seminar_lib.goals import Goal, Score
from seminar_lib.losses import Loss, margin, rival_dlr
from seminar_lib.types import Flags, Images, PerExample

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
            self._walk(goal, x, rows, best, generator)
        return best.x

    def _walk(self, goal: Goal, x: Images, rows: Tensor, best: Best, generator: Generator) -> None:
        """One walk of the images ``rows``; ``best`` is offered every point of it."""
        aim = goal[rows]
        start = self.threat.random_start(x[rows], generator)
        score, grad = climb(aim, start)
        best.offer(rows, start, score)
        walk = _Walk.begin(rows, x[rows], start, grad, score.loss, 2 * self.threat.eps)
        period = max(int(FIRST * self.steps), 1)
        checkpoint = period
        for step in range(1, self.steps + 1):
            self._step(walk, ALPHA if step > 1 else 1.0)
            if step == self.steps:  # nobody will ask for this gradient
                best.offer(walk.rows, walk.x_adv, look(aim, walk.x_adv))
                return
            score, grad = climb(aim, walk.x_adv)
            best.offer(walk.rows, walk.x_adv, score)
            walk.note(grad, score)
            if step == checkpoint:
                walk.halve_where_stuck(period)
                period = max(period - max(int(FEWER * self.steps), 1), int(FEWEST * self.steps), 1)
                checkpoint += period
            if self.stop_when_fooled and score.success.any():
                walk.keep(~score.success)
                if not len(walk.rows):
                    return
                aim = goal[walk.rows]

    def _step(self, walk: _Walk, share: float) -> None:
        """To the next point; ``share`` of the step goes along the gradient, the rest on in the old direction."""
        along = self.threat.project(walk.x_adv + walk.size * self.threat.steepest(walk.grad), walk.x)
        onward = walk.x_adv + share * (along - walk.x_adv) + (1 - share) * (walk.x_adv - walk.before)
        walk.before, walk.x_adv = walk.x_adv, self.threat.project(onward, walk.x)


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


@dataclass
class _Walk:
    """Where the images of one walk stand, one row each."""

    rows: Tensor  # their numbers in the batch
    x: Images
    x_adv: Images
    before: Images  # the point before x_adv
    grad: Images  # at x_adv
    loss: PerExample  # at x_adv
    size: Tensor  # of the next step, (R, 1, 1, 1)
    top: Images  # the point with the highest loss,
    top_grad: Images  # with its gradient
    top_loss: PerExample  # and loss
    rises: Tensor  # steps since the last checkpoint that raised the loss
    top_loss_then: PerExample  # top_loss at the last checkpoint
    halved_then: Flags  # whether the step was halved there

    @classmethod
    def begin(cls, rows: Tensor, x: Images, x_adv: Images, grad: Images, loss: PerExample, size: float) -> _Walk:
        sizes = torch.full_like(x[:, :1, :1, :1], size)
        rises, halved = torch.zeros_like(rows), torch.ones_like(rows, dtype=torch.bool)
        return cls(rows, x, x_adv, x_adv, grad, loss, sizes, x_adv, grad, loss, rises, loss, halved)

    def note(self, grad: Images, score: Score) -> None:
        """Take down what was found at ``x_adv``."""
        self.rises = self.rises + (score.loss > self.loss)
        self.grad, self.loss = grad, score.loss
        higher = score.loss > self.top_loss
        self.top_loss = torch.where(higher, score.loss, self.top_loss)
        self.top = torch.where(_wide(higher), self.x_adv, self.top)
        self.top_grad = torch.where(_wide(higher), grad, self.top_grad)

    def halve_where_stuck(self, period: int) -> None:
        """Go back to the best point with half the step, where too few steps rose or a whole period found no better.

        A period at a size that is new, after a halving, gets a second chance before the latter counts.
        """
        stuck = (self.rises <= RHO * period) | (~self.halved_then & (self.top_loss <= self.top_loss_then))
        self.size = torch.where(_wide(stuck), self.size / 2, self.size)
        self.x_adv = torch.where(_wide(stuck), self.top, self.x_adv)
        self.grad = torch.where(_wide(stuck), self.top_grad, self.grad)
        self.loss = torch.where(stuck, self.top_loss, self.loss)
        self.rises, self.top_loss_then, self.halved_then = torch.zeros_like(self.rises), self.top_loss, stuck

    def keep(self, left: Flags) -> None:
        """Drop the other images."""
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name)[left])


def _wide(flags: Flags) -> Tensor:
    """Flags of whole images, (B,), as flags of their pixels, (B, 1, 1, 1)."""
    return flags[:, None, None, None]
