"""Fast Gradient Sign Method: one step of full length along the gradient.

Goodfellow, Shlens & Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015, section 4:

    x_adv = x + eps * sign(grad_x loss(f(x), y))

The sign is the steepest direction in the Linf ball; any other threat model brings its own. Our version returns the
clean image where the step would not help the adversary.
"""

from __future__ import annotations

from dataclasses import dataclass

from seminar_lib.attacks.base import Attack, Generator, climb
from seminar_lib.goals import Goal
from seminar_lib.types import Images


@dataclass(frozen=True, repr=False)
class FGSM(Attack):
    """One step of length eps along the steepest direction."""

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """One gradient, one step; nothing is random."""
        _, grad = climb(goal, x)
        return self.threat.project(x + self.threat.eps * self.threat.steepest(grad), x)
