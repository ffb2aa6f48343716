"""Goals about the label: any wrong one, a chosen one, another prediction."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seminar_lib.goals.base import Goal, Score
from seminar_lib.losses import Loss, cross_entropy, divergence, margin, rival_margin
from seminar_lib.types import Images, Labels, Logits, Model


@dataclass(frozen=True, eq=False)
class Misclassify(Goal):
    """Any label but the true one.

    Attributes:
        model: images (B, C, H, W) in [0, 1] to logits (B, K).
        y: the true labels, int64 (B,), 0 to K - 1.
        loss: of (logits, y), which climbs.
    """

    model: Model
    y: Labels
    loss: Loss = cross_entropy

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(self.loss(logits, self.y), logits.argmax(1) != self.y)

    def gaps(self, x: Images, count: int) -> Tensor:
        """The margins z_j - z_y of the likeliest wrong classes j."""
        logits = self.model(x)
        margins = logits - logits.gather(1, self.y[:, None])
        return margins.gather(1, _rivals(logits, self.y, count))

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        with torch.no_grad():
            rivals = _rivals(self.model(x), self.y, count)
        return [Towards(self.model, self.y, rival, loss) for rival in rivals.unbind(1)]


@dataclass(frozen=True, eq=False)
class Towards(Goal):
    """Any label but the true one wins, but the loss looks at one rival class only.

    Attributes:
        rival: the class that the search runs for, one for each example.
        loss: of (logits, y, rival).
    """

    model: Model
    y: Labels
    rival: Labels
    loss: Loss = rival_margin

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(self.loss(logits, self.y, self.rival), logits.argmax(1) != self.y)


@dataclass(frozen=True, eq=False)
class Reach(Goal):
    """One chosen label for each example: the loss towards it falls, so its negative climbs.

    Attributes:
        model: as in ``Misclassify``.
        target: the chosen labels, int64 (B,), 0 to K - 1.
        loss: of (logits, target).
    """

    model: Model
    target: Labels
    loss: Loss = cross_entropy

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(-self.loss(logits, self.target), logits.argmax(1) == self.target)

    def gaps(self, x: Images, count: int) -> Tensor:
        """One gap only: the target's lead over the best other class."""
        return -margin(self.model(x), self.target)[:, None]

    def towards(self, x: Images, count: int, loss: Loss) -> list[Goal]:
        """The target is the only class to choose."""
        return [self]


@dataclass(frozen=True, eq=False)
class Diverge(Goal):
    """Far from what the model says of the clean image: KL(p || p_adv), with the clean prediction held fixed.

    The inner goal of TRADES (Zhang et al., ICML 2019, eq. 5); it needs no labels. Won when the predicted label changes.

    Attributes:
        clean: the model's logits on the clean images, without gradient.
    """

    model: Model
    clean: Logits

    def __call__(self, x: Images) -> Score:
        logits = self.model(x)
        return Score(divergence(self.clean, logits), logits.argmax(1) != self.clean.argmax(1))


def _rivals(logits: Logits, y: Labels, count: int) -> Tensor:
    """The wrong classes with the largest logits, (B, up to count), the largest first."""
    wrong = logits.detach().scatter(1, y[:, None], float("-inf"))
    return wrong.topk(min(count, logits.shape[1] - 1), dim=1).indices
