"""The attack of Carlini and Wagner: distance and success in one loss, weighed by a constant that is searched for.

Carlini & Wagner, "Towards evaluating the robustness of neural networks", S&P 2017, sections V and VI.A:

    minimise |x_adv - x|^2 + c max(kappa - margin(f(x_adv)), 0)    by Adam,    x_adv = (tanh(w) + 1) / 2

The margin is positive where the model is wrong; a lead of kappa is success enough and costs nothing. A binary search
finds the smallest c that still succeeds, for each image. The change of variables keeps x_adv in [0, 1] whatever w is,
but it freezes black and white pixels: their w is infinite, and tanh is flat there. Ours leaves some room around [0, 1],

    image = 1/2 + (1/2 + ROOM) tanh(w),    x_adv = image clipped to [0, 1]

so that at 0 and 1 tanh has a slope. The distance pulls at ``image`` and the margin at x_adv; so a pixel is outside only
while the margin wants it there, and where neither pulls any more, x_adv is a minimum of the loss within the box.
Three more departures. One step of Adam moves an image by about rate * sqrt(pixels), as far as the nearest mistake of an
undefended network, and such steps go around a minimum instead of into it. So once the loss of an image has stopped
falling, its rate falls in a line to zero, within half as many steps as a descent has. Then it leaves, each image by
itself, where the authors' code stops a whole batch. And the nearest success is drawn back along its line to the
boundary.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from seminar_lib.attacks.base import Best, Generator, climb, confirmed, look
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.goals import Goal, Score
from seminar_lib.threat import L2, PIXELS, wide
from seminar_lib.types import Flags, Images, PerExample

ROOM = 0.1  # beyond 0 and 1, in pixels: enough for a third of the slope that tanh has at grey
HARDER = 10  # factor of the constant while nothing has succeeded
WINDOWS, WINDOW = 10, 10  # a descent is watched in ten windows, of ten steps at least
PROGRESS = 0.99  # share of the mean loss of one window that is left in the next, at most, while a descent gets on
MEAN, SQUARE, TINY = 0.9, 0.999, 1e-8  # Adam's decay rates, and its divisor where there is no gradient


@dataclass(frozen=True, repr=False)
class CW(MinimumNorm):
    """A descent of the loss for each of several constants, in L2.

    The defaults are the paper's and take thousands of gradients for each image. For a class there is
    ``CW(L2(0.5), binary_steps=5, steps=100, initial_const=0.1)``: on our adversarially trained network a thirteenth of
    the time, for distances at most one percent longer (eight images).

    Attributes:
        binary_steps: constants that are tried for each image.
        steps: gradient steps for each constant, at most.
        lr: learning rate of Adam, in units of w, while the loss of an image falls.
        initial_const: the first c; ten times as much while nothing succeeds, then halfway between the largest that
            failed and the smallest that succeeded.
        kappa: lead of the wrong class, in logits, that makes a success. More of it gives images that are farther away
            and also fool other models.
        refinements: forward passes that draw a success back to the boundary; 0 leaves it where it was found.

    Raises:
        TypeError: the threat model is not L2.
        ValueError: a hyperparameter is out of range.
    """

    binary_steps: int = 9
    steps: int = 1000
    lr: float = 0.01
    initial_const: float = 1e-3
    kappa: float = 0.0
    refinements: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.threat, L2):
            raise TypeError(f"CW minimises the Euclidean distance, so its threat model is L2; got {self.threat!r}.")
        if self.binary_steps < 1 or self.steps < 1:
            raise ValueError(
                "CW needs at least one constant and one step; "
                f"got binary_steps={self.binary_steps}, steps={self.steps}."
            )
        if not (self.lr > 0 and self.initial_const > 0):
            raise ValueError(
                f"CW needs lr > 0 and initial_const > 0; got lr={self.lr}, initial_const={self.initial_const}."
            )
        if not (self.kappa >= 0 and self.refinements >= 0):
            raise ValueError(
                f"CW needs kappa >= 0 and refinements >= 0; got kappa={self.kappa}, refinements={self.refinements}."
            )

    def aim(self, goal: Goal, x: Images, confirm: bool) -> Goal:
        """A descent may believe what bfloat16 claims to be a success: it is near enough, or is drawn to the boundary.

        Both are seen to in float32. To confirm each claim would take a forward pass at nearly every step.
        """
        return super().aim(goal, x, confirm=False)

    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """A binary search for each image's constant, with a descent at every constant. Nothing is drawn.

        Raises:
            ValueError: the goal's loss is positive for each image and none is won, so that there is nothing to climb.
        """
        start = look(goal, x)
        if not (start.success | (start.loss <= 0)).any():
            raise ValueError(
                "CW climbs the loss up to zero, where the goal is won, but the loss of this goal is positive "
                "everywhere. Give the goal another one, such as margin."
            )
        goal = Confident(goal, self.kappa)
        nothing = torch.zeros_like(x[:, 0, 0, 0])
        best = Best(x, Score(nothing, nothing.bool()))  # of two successes, the nearer: the loss is -distance
        const, failed, won = nothing + self.initial_const, nothing, nothing + torch.inf
        rows = best.all()
        for _ in range(self.binary_steps):
            success = self._descend(goal, x, rows, const, best, enough)
            won = torch.where(success, torch.minimum(won, const), won)
            failed = torch.where(success, failed, torch.maximum(failed, const))
            const = torch.where(won.isinf(), HARDER * const, (failed + won) / 2)
            rows = (~best.success | (-best.loss > enough)).nonzero().squeeze(1)
            if not len(rows):
                break
        return self.draw_back(goal, x, best.x, self.refinements, enough)

    def _descend(self, goal: Goal, x: Images, rows: Tensor, const: PerExample, best: Best, enough: float) -> Flags:
        """A descent of the images ``rows``; says which of the whole batch succeeded on the way.

        ``best`` is offered every point of it.
        """
        succeeded = torch.zeros_like(best.success)
        aim, walk = goal[rows], _Descent.begin(rows, x[rows], const[rows])
        window = max(self.steps // WINDOWS, WINDOW)
        for step in range(1, self.steps + 1):
            tanh = walk.w.tanh()
            image = 0.5 + (0.5 + ROOM) * tanh
            x_adv = image.clamp(0, 1)
            score, grad = climb(aim, x_adv)
            distance = self.threat.norm(x_adv - walk.x)
            arrived = confirmed(aim, x_adv, score.success & (distance <= enough))
            success = score.success & (arrived | (distance > enough))
            best.offer(walk.rows, x_adv, Score(-distance, success))
            succeeded[walk.rows] |= success

            away = image - walk.x
            missing = (-score.loss).clamp_min(0)  # of the lead
            walk.lately += away.square().sum(PIXELS) + walk.const * missing
            short = (missing > 0) | ((score.loss == 0) & ~score.success)  # a tie need not be won
            push = walk.const * short
            walk.adam((2 * away - wide(push) * grad) * (1 - tanh.square()), step, self.lr)

            falls = walk.rate < 1
            if step % window == 0:
                falls |= walk.lately > PROGRESS * walk.before
                walk.before, walk.lately = walk.lately, torch.zeros_like(walk.lately)
            walk.rate -= 2 / self.steps * falls
            leaves = arrived | (walk.rate < 1 / self.steps)
            if leaves.any():
                walk.keep(~leaves)
                if not len(walk.rows):
                    break
                aim = goal[walk.rows]
        return succeeded


@dataclass(frozen=True, eq=False)
class Confident(Goal):
    """The same goal, won by a lead: the loss has to exceed ``kappa``, where it had to exceed 0."""

    goal: Goal
    kappa: float

    def __call__(self, x: Images) -> Score:
        score = self.goal(x)
        lead = score.loss - self.kappa
        return Score(lead, score.success & (lead >= 0))


@dataclass
class _Descent:
    """The images of one descent, one row each."""

    rows: Tensor  # their numbers in the batch
    x: Images
    const: PerExample
    w: Images
    mean: Images  # of w's gradients, as Adam keeps it,
    square: Images  # and of their squares
    lately: PerExample  # sum of the losses in this window
    before: PerExample  # and in the one before
    rate: PerExample  # of Adam, as a share of the full one

    @classmethod
    def begin(cls, rows: Tensor, x: Images, const: PerExample) -> _Descent:
        w = ((x - 0.5) / (0.5 + ROOM)).atanh()
        never = torch.full_like(const, torch.inf)
        still, nothing = torch.zeros_like(w), torch.zeros_like(const)
        return cls(rows, x, const, w, still, still.clone(), nothing, never, torch.ones_like(const))

    def adam(self, grad: Images, step: int, lr: float) -> None:
        """One step downhill (Kingma & Ba, ICLR 2015, algorithm 1); ``step`` counts from 1."""
        self.mean.lerp_(grad, 1 - MEAN)
        self.square.lerp_(grad.square(), 1 - SQUARE)
        size = (self.square / (1 - SQUARE**step)).sqrt() + TINY
        self.w -= wide(lr * self.rate / (1 - MEAN**step)) * self.mean / size

    def keep(self, left: Flags) -> None:
        """Drop the other images."""
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name)[left])
