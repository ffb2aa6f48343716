"""Minimum-norm attacks: not "is there a success within eps?" but "how near is the nearest one?".

One run gives each image its own distance, and so the accuracy at every radius at once. As attacks of the fixed-radius
kind they serve too: an image that falls at a distance of at most eps has fallen.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from seminar_lib.attacks.base import Attack, Best, Generator, care, look, verdict
from seminar_lib.goals import Goal, Score
from seminar_lib.losses import Loss, margin
from seminar_lib.threat import wide
from seminar_lib.types import Flags, Images, Labels, Model, PerExample

BEHIND = 1.1  # times the distance at which bfloat16 has claimed a success, where float32 denies it
HAIR = 1e-3  # share of a distance: more than rounding moves the boundary, less than anybody reads off a plot


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
        return self.threat.project(_beyond(x, self.approach(goal, x, generator, enough)), x)

    def nearest(
        self, model: Model, x: Images, y: Labels, target: Labels | None = None, generator: Generator = None
    ) -> Nearest:
        """The nearest adversarial images, whatever their distance; arguments and errors as for a call."""
        goal = self.goal(model, x, y, target)
        with care(goal, x):
            x = x.clamp(0, 1)
            x_adv, success = x.clone(), verdict(goal, x).success
            rows = (~success).nonzero().squeeze(1)  # what is wrong already is its own nearest
            if len(rows):
                x_adv[rows] = self.approach(self.aim(goal[rows], x[rows], confirm=True), x[rows], generator)
                success[rows] = verdict(goal[rows], x_adv[rows]).success
            denied = (~success).nonzero().squeeze(1)
            if len(denied):
                x_adv[denied] = _beyond(x[denied], x_adv[denied])
                success[denied] = verdict(goal[denied], x_adv[denied]).success
            x_adv = torch.where(wide(success), x_adv, x)
            distance = self.threat.norm(x_adv - x).masked_fill(~success, torch.inf)
        return Nearest(x_adv, distance, success)

    def draw_back(self, goal: Goal, x: Images, x_adv: Images, passes: int, enough: float = 0.0) -> Images:
        """Each success farther away than ``enough`` drawn back along its line to the boundary; failures stay.

        All is judged in the precision of the images. A success that bfloat16 alone has seen is first looked for a
        little farther out. The boundary is searched by false position: next, a hair beyond where the loss would cross
        zero if it were straight between the nearest success and the farthest failure so far.

        Args:
            goal: as for ``approach``.
            x: clean images.
            x_adv: what was found for them.
            passes: forward passes; each makes the uncertainty several times smaller.
            enough: as for ``approach``.
        """
        goal = goal.precise
        x_adv, there = _judged(goal, x, x_adv)
        rows = (there.success & (self.threat.norm(x_adv - x) > enough)).nonzero().squeeze(1)
        if not len(rows) or not passes:
            return x_adv
        aim, clean, line = goal[rows], x[rows], (x_adv - x)[rows]
        low, lead_low = torch.zeros_like(there.loss[rows]), look(aim, clean).loss
        high, lead_high = torch.ones_like(low), there.loss[rows]
        for _ in range(passes):
            zero = (1 + HAIR) * (lead_low / (lead_low - lead_high)).nan_to_num(0.5)
            share = low + (high - low) * zero.clamp(0.1, 0.9)  # near either end it would hardly shorten the interval
            score = look(aim, clean + wide(share) * line)
            won = score.success
            low, lead_low = torch.where(won, low, share), torch.where(won, lead_low, score.loss)
            high, lead_high = torch.where(won, share, high), torch.where(won, score.loss, lead_high)
        drawn = x_adv.clone()
        drawn[rows] = (clean + wide(high) * line).clamp(0, 1)
        return drawn


def _judged(goal: Goal, x: Images, x_adv: Images) -> tuple[Images, Score]:
    """What was found, and its score; where it is no success after all, what lies behind it if that is one."""
    there = look(goal, x_adv)
    denied = (~there.success & (x_adv != x).flatten(1).any(1)).nonzero().squeeze(1)
    if not len(denied):
        return x_adv, there
    farther = (x[denied] + BEHIND * (x_adv - x)[denied]).clamp(0, 1)
    score, best = look(goal[denied], farther), Best(x_adv, there)
    won = score.success
    best.offer(denied[won], farther[won], Score(score.loss[won], won[won]))
    return best.x, Score(best.loss, best.success)


def _beyond(x: Images, x_adv: Images) -> Images:
    """Images a hair farther away from ``x``: at the very boundary two copies of a network may round to either side."""
    return (x_adv + HAIR * (x_adv - x)).clamp(0, 1)
