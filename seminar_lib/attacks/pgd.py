"""Projected Gradient Descent: many small FGSM steps, pulled back into the threat model after each.

Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1:

    x_{t+1} = project(x_t + step_size * steepest(grad_x loss(f(x_t), y)))

from a random start. With ``momentum`` it is MI-FGSM (Dong et al., CVPR 2018, eq. 6). Our version returns the best
image of the whole walk, where the paper returns the last one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from seminar_lib.attacks.base import Attack, Best, Generator, climb, look
from seminar_lib.goals import Goal
from seminar_lib.threat import PIXELS
from seminar_lib.types import Images


@dataclass(frozen=True, repr=False)
class PGD(Attack):
    """Steepest ascent of the loss, projected into the threat model after every step.

    Attributes:
        steps: gradient steps of one walk.
        step_size: length of a step in the threat's norm, in pixels of [0, 1]; 2.5 * eps / steps when omitted, so that
            a walk can cross the ball and come back (Madry et al., appendix).
        restarts: walks from different random starts; the best image of all of them is returned.
        momentum: how much of the earlier gradients each step remembers; 0 forgets, 1 is MI-FGSM's setting.
        random_start: begin somewhere inside the ball instead of at the clean image.

    Raises:
        ValueError: a hyperparameter is out of range.
    """

    steps: int = 10
    step_size: float | None = None
    restarts: int = 1
    momentum: float = 0.0
    random_start: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.restarts < 1:
            raise ValueError(
                f"PGD needs at least one step and one restart; got steps={self.steps}, restarts={self.restarts}."
            )
        if self.step_size is not None and not 0 < self.step_size < math.inf:
            raise ValueError(f"PGD needs a finite step_size > 0, in pixels of [0, 1]; got {self.step_size}.")
        if not 0 <= self.momentum < math.inf:
            raise ValueError(f"PGD needs a finite momentum >= 0; got {self.momentum}.")
        if self.restarts > 1 and not self.random_start:
            raise ValueError("Restarts without random_start repeat the same walk: set restarts=1 or random_start=True.")

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """``restarts`` walks of ``steps`` steps each, over the examples that are still worth attacking."""
        step_size = 2.5 * self.threat.eps / self.steps if self.step_size is None else self.step_size
        best = Best(x)
        for _ in range(self.restarts):
            rows = best.unfooled() if self.stop_when_fooled else best.all()
            if not len(rows):
                break
            aim, clean = goal[rows], x[rows]
            x_adv = self.threat.random_start(clean, generator) if self.random_start else clean
            velocity = torch.zeros_like(clean)
            for _ in range(self.steps):
                score, grad = climb(aim, x_adv)
                best.offer(rows, x_adv, score)
                velocity = self.momentum * velocity + _unit_mean(grad) if self.momentum else grad
                x_adv = self.threat.project(x_adv + step_size * self.threat.steepest(velocity), clean)
                if self.stop_when_fooled and score.success.any():
                    left = ~score.success
                    rows, clean, x_adv, velocity = (t[left] for t in (rows, clean, x_adv, velocity))
                    if not len(rows):
                        return best.x
                    aim = goal[rows]
            best.offer(rows, x_adv, look(aim, x_adv))
        return best.x


def _unit_mean(grad: Images) -> Images:
    """Each example's gradient over its mean absolute value, so that no step outweighs the others in the momentum."""
    return grad / grad.abs().mean(PIXELS, keepdim=True).clamp_min(torch.finfo(grad.dtype).tiny)
