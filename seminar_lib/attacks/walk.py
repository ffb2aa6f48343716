"""A walk of a batch of images up its loss, at whose checkpoints each image reconsiders its step: the frame of APGD.

How a step is made and what changes at a checkpoint is up to the kind of walk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from seminar_lib.attacks.base import Best, climb, look
from seminar_lib.goals import Goal, Score
from seminar_lib.threat import ThreatModel, wide
from seminar_lib.types import Flags, Images


class Walk(ABC):
    """Where the images of one walk stand; every tensor holds one row for each image that is still on its way.

    Attributes:
        rows: the numbers of the images in their batch.
        x, x_adv: the clean images, and where the walk has led them.
        score, grad: of ``x_adv``.
        top, top_grad, top_loss: the point with the highest loss so far.
    """

    def __init__(self, threat: ThreatModel, steps: int, goal: Goal, x: Images, rows: Tensor, start: Tensor) -> None:
        """Stand at ``start``, (R, C, H, W), before the first step; ``goal`` and ``x`` are those of the batch."""
        self.threat, self.steps, self.goal = threat, steps, goal
        self.rows, self.x, self.x_adv = rows, x[rows], start
        self.score, self.grad = climb(goal[rows], start)
        self.top, self.top_grad, self.top_loss = self.x_adv, self.grad, self.score.loss

    @abstractmethod
    def step(self, number: int) -> None:
        """Move ``x_adv``; steps are counted from 1."""

    @abstractmethod
    def reconsider(self, number: int) -> None:
        """What step ``number`` has taught; most steps are no checkpoint."""

    def run(self, best: Best, stop_when_fooled: bool) -> None:
        """All steps; ``best`` is offered every point, and images may leave at their first success."""
        aim = self.goal[self.rows]
        best.offer(self.rows, self.x_adv, self.score)
        for number in range(1, self.steps + 1):
            self.step(number)
            if number == self.steps:  # nobody will ask for this gradient
                best.offer(self.rows, self.x_adv, look(aim, self.x_adv))
                return
            score, grad = climb(aim, self.x_adv)
            best.offer(self.rows, self.x_adv, score)
            self.note(score, grad)
            self.reconsider(number)
            if stop_when_fooled and score.success.any():
                self._keep(~score.success)
                if not len(self.rows):
                    return
                aim = self.goal[self.rows]

    def note(self, score: Score, grad: Images) -> None:
        """Take down what was found at ``x_adv``."""
        self.score, self.grad = score, grad
        higher = score.loss > self.top_loss
        self.top_loss = score.loss.where(higher, self.top_loss)
        self.top = self.x_adv.where(wide(higher), self.top)
        self.top_grad = grad.where(wide(higher), self.top_grad)

    def back_to_top(self, these: Flags) -> None:
        """Send some images back to their best point."""
        self.x_adv = self.top.where(wide(these), self.x_adv)
        self.grad = self.top_grad.where(wide(these), self.grad)
        self.score = Score(self.top_loss.where(these, self.score.loss), self.score.success)

    def _keep(self, left: Flags) -> None:
        """Drop the other images."""
        self.score = Score(*(part[left] for part in self.score))
        for name, part in vars(self).items():
            if isinstance(part, Tensor):
                setattr(self, name, part[left])
