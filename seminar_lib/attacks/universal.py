"""Universal perturbations: one delta that fools the model on most images, also on those it has not seen.

Moosavi-Dezfooli et al., "Universal adversarial perturbations", CVPR 2017. The search is the simpler one of Shafahi et
al., "Universal Adversarial Training", AAAI 2020, section 3: steepest ascent of a clipped loss over mini-batches,

    delta_{t+1} = shrink(delta_t + step_size * steepest(sum_i grad_delta min(loss(f(x_i + delta_t), y_i), cap)))

The clip keeps images that are fooled already from pulling delta ever farther. Our steps shrink linearly to nothing,
which settles the last ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seminar_lib.attacks.base import Attack, Generator, care, climb
from seminar_lib.goals import Goal
from seminar_lib.losses import Loss, margin
from seminar_lib.types import Images, Labels, Model


@dataclass(frozen=True, repr=False)
class Universal(Attack):
    """One perturbation for a whole set of images; what becomes of one image depends on the others, by design.

    Called as any attack, it learns the perturbation on the images that it is given. ``learn`` returns it instead, for
    ``threat.project(x + delta, x)`` on images that it has never seen.

    Attributes:
        steps: mini-batches.
        batch_size: images in each.
        step_size: length of the first step in the threat's norm, in pixels of [0, 1]; a quarter of eps when omitted.
        cap: where an image's loss stops to count.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    steps: int = 100
    batch_size: int = 128
    step_size: float | None = None
    cap: float = 5.0
    loss: Loss = field(default=margin, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.batch_size < 1:
            raise ValueError(
                "Universal needs at least one step and one image a step; "
                f"got steps={self.steps}, batch_size={self.batch_size}."
            )
        if self.step_size is not None and not 0 < self.step_size < math.inf:
            raise ValueError(f"Universal needs a finite step_size > 0, in pixels of [0, 1]; got {self.step_size}.")

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        return self.threat.project(x + self._delta(goal, x, generator), x)

    def learn(
        self, model: Model, x: Images, y: Labels, target: Labels | None = None, generator: Generator = None
    ) -> Tensor:
        """The perturbation, (1, C, H, W), inside the threat model; arguments and errors as for a call."""
        goal = self.goal(model, x, y, target)
        with care(goal, x):
            return self._delta(goal, x.clamp(0, 1), generator)

    def _delta(self, goal: Goal, x: Images, generator: Generator) -> Tensor:
        first = self.threat.eps / 4 if self.step_size is None else self.step_size
        delta = torch.zeros_like(x[:1])
        for step in range(self.steps):
            rows = torch.randperm(len(x), generator=generator, device=x.device)[: self.batch_size]
            score, grad = climb(goal[rows], (x[rows] + delta).clamp(0, 1))
            uphill = grad[score.loss < self.cap].sum(0, keepdim=True)
            delta = self.threat.shrink(delta + first * (1 - step / self.steps) * self.threat.steepest(uphill))
        return delta
