"""A goal that keeps a record of how a search looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor

from seminar_lib.goals.base import Goal, Score
from seminar_lib.losses import Loss
from seminar_lib.types import Images, PerExample


@dataclass
class Look:
    """One call of a recorded goal.

    Attributes:
        rows: which examples of the batch were looked at, (R,).
        x: the images, (R, C, H, W), without gradient.
        score: loss and success, without gradient.
        grad_norm: Euclidean length of each example's gradient (R,), None until a backward pass has reached the images;
            of the first pass, where several followed one look.
        passes: how many backward passes have reached the images.
    """

    rows: Tensor
    x: Images
    score: Score
    grad_norm: PerExample | None = None
    passes: int = 0

    def reached(self, grad: Images) -> None:
        """Take down a backward pass."""
        self.passes += 1
        if self.grad_norm is None:
            self.grad_norm = grad.flatten(1).norm(dim=1)


@dataclass(frozen=True, eq=False)
class Recorded(Goal):
    """Keeps every look that a search takes, without the search knowing: losses, images, gradient lengths, counts.

    Attributes:
        goal: what is recorded.
        rows: the number of each example in its batch; ``torch.arange(B)`` at the start.
        looks: filled by the calls, in order.
    """

    goal: Goal
    rows: Tensor
    looks: list[Look] = field(default_factory=list)

    def __call__(self, x: Images) -> Score:
        score = self.goal(x)
        self._keep(x, score)
        return score

    def gaps(self, x: Images, count: int) -> Tensor:
        """Those of the goal; the look that is kept has the largest for its loss."""
        gaps = self.goal.gaps(x, count)
        largest = gaps.amax(1)
        self._keep(x, Score(largest, largest > 0))
        return gaps

    def _keep(self, x: Images, score: Score) -> None:
        look = Look(self.rows, x.detach().clone(), Score(score.loss.detach(), score.success))
        if x.requires_grad:
            x.register_hook(look.reached)
        self.looks.append(look)

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        return [replace(self, goal=goal) for goal in self.goal.towards(x, count, loss)]

    @property
    def forwards(self) -> int:
        """How many images were run forwards."""
        return sum(len(look.rows) for look in self.looks)

    @property
    def backwards(self) -> int:
        """How many images were run backwards, each as often as a pass reached it."""
        return sum(len(look.rows) * look.passes for look in self.looks)
