"""Minimum-norm attacks: not "is there a success within eps?" but "how near is the nearest one?".

One run gives each image its own distance, and so the accuracy at every radius at once. As attacks of the fixed-radius
kind they serve too: an image that falls at a distance of at most eps has fallen.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from seminar_lib.attacks.base import Attack, Generator, care, verdict
from seminar_lib.goals import Goal
from seminar_lib.losses import Loss, margin
from seminar_lib.types import Flags, Images, Labels, Model, PerExample


class Nearest(NamedTuple):
    """The nearest success found for each image.

    Attributes:
        x_adv: the image, (B, C, H, W); the clean one where the search found none.
        distance: its distance from the clean image in the threat's norm; infinite where the search found none.
        success: whether it found one, confirmed in float32.
    """

    x_adv: Images
    distance: PerExample
    success: Flags


@dataclass(frozen=True, repr=False)
class MinimumNorm(Attack):
    """A search for the nearest success, in the norm of ``threat``.

    Called as any attack, it returns images within ``threat.eps``: what was found farther away is pulled back and
    mostly fails there. ``nearest`` gives what was found, however far.

    The loss has to cross zero at the boundary, as ``margin`` does.
    """

    loss: Loss = field(default=margin, kw_only=True)

    @abstractmethod
    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """The bare search: the nearest success found for each image, anywhere in [0, 1]; ``x`` where there is none.

        Args:
            goal: with a loss, or gaps, that cross zero where it is won.
            x: clean images.
            generator: where random numbers come from.
            enough: a distance within which any success will do; the search may then leave the image alone.
        """

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """The nearest success found, pulled back into the threat model."""
        enough = self.threat.eps if self.stop_when_fooled else 0.0
        return self.threat.project(self.approach(goal, x, generator, enough), x)

    def nearest(
        self, model: Model, x: Images, y: Labels, target: Labels | None = None, generator: Generator = None
    ) -> Nearest:
        """The nearest adversarial images, whatever their distance; arguments and errors as for a call."""
        goal = self.goal(model, x, y, target)
        with care(goal):
            x = x.clamp(0, 1)
            x_adv = self.approach(goal, x, generator)
            success = verdict(goal, x_adv).success
            distance = self.threat.norm(x_adv - x).masked_fill(~success, torch.inf)
        return Nearest(x_adv, distance, success)
