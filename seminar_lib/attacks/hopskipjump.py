"""HopSkipJump: walks along the decision boundary, told nothing but whether each image succeeds.

Chen, Jordan & Wainwright, "HopSkipJumpAttack: a query-efficient decision-based attack", S&P 2020, algorithm 2:

    x_t = boundary(x, x_far);  v = mean over b of (phi(x_t + radius u_b) - mean phi) u_b;   x_far = x_t + length v / |v|

where phi is 1 for a success and 0 otherwise, and each u_b a random direction: those that succeed point across the
boundary. Three departures: walks start from noise of every coarseness, where the paper's is fine noise that a network
often gives one and the same label; the radius is 1 % of the distance (Euclidean for Linf too), where the paper's 1/d
drowns in the rounding of float32; and the nearest point of the walk is returned, not the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F

from seminar_lib.attacks.base import Best, Generator, verdict
from seminar_lib.attacks.minimum_norm import MinimumNorm
from seminar_lib.goals import Goal, Score
from seminar_lib.threat import L2, PIXELS, Linf, wide
from seminar_lib.types import Flags, Images, PerExample

COARSENESS = (1, 2, 4, 8, 16, 32)  # cells to a side of the noise that a walk starts from
BISECTIONS = 12  # between a success and a failure: to 1/4,000 of their distance, well above rounding
RADIUS = 0.01  # of the directions tried around a boundary point, as a share of its distance from x
TOGETHER = 256  # images of one forward pass, so that a single example is not asked about one direction at a time


@dataclass(frozen=True, repr=False)
class HopSkipJump(MinimumNorm):
    """A walk along the boundary, which needs no loss, no gradient and no logits, in L2 or Linf.

    A walk costs about ``samples * 2/3 * steps ** 1.5`` queries for each image, and some 15 at every step. It
    judges images at the very boundary, so the search is exact.

    Attributes:
        steps: directions that are estimated and followed.
        samples: queries for the first estimate; the t-th takes sqrt(t) times as many (section IV.C).
        starts: random images tried, at most, before an example is given up.

    Raises:
        TypeError: the threat model is neither Linf nor L2.
        ValueError: a hyperparameter is out of range.
    """

    exact: ClassVar[bool] = True
    steps: int = 20
    samples: int = 100
    starts: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.threat, Linf | L2):
            raise TypeError(f"HopSkipJump measures distances in Linf or L2; got {self.threat!r}.")
        if self.steps < 1 or self.starts < 1:
            raise ValueError(
                f"HopSkipJump needs at least one step and one start; got steps={self.steps}, starts={self.starts}."
            )
        if self.samples < 2:
            raise ValueError(f"HopSkipJump compares directions, at least samples=2; got samples={self.samples}.")

    def approach(self, goal: Goal, x: Images, generator: Generator = None, enough: float = 0.0) -> Images:
        """To the boundary, then in turns a leap away from it and a search back to it, ever nearer to ``x``."""
        best = Best(x, Score(torch.zeros_like(x[:, 0, 0, 0]), verdict(goal, x).success))
        rows = best.unfooled()
        near, found = self._start(goal[rows], x[rows], generator)
        rows, near = rows[found], near[found]
        for step in range(self.steps + 1):
            if not len(rows):
                break
            aim, clean, far = goal[rows], x[rows], near
            if step:  # the start is far away as it is
                samples = round(self.samples * math.sqrt(step))
                across = _across(aim, near, RADIUS * L2().norm(near - clean), samples, generator)
                length = self.threat.norm(near - clean) / math.sqrt(step)
                far = _leap(aim, near, self.threat.steepest(across), length)
            near = self._boundary(aim, clean, far)
            distance = self.threat.norm(near - clean)
            best.offer(rows, near, Score(-distance, torch.ones_like(distance, dtype=torch.bool)))
            rows, near = rows[distance > enough], near[distance > enough]
        return best.x

    def _start(self, goal: Goal, x: Images, generator: Generator) -> tuple[Images, Flags]:
        """For each example the first random image that succeeds, and whether there was one."""
        far, found = x.clone(), torch.zeros(len(x), dtype=torch.bool, device=x.device)
        for attempt in range(self.starts):
            rows = (~found).nonzero().squeeze(1)
            if not len(rows):
                break
            cells = COARSENESS[-1 - attempt % len(COARSENESS)]
            noise = torch.empty(len(rows), x.shape[1], cells, cells, dtype=x.dtype, device=x.device)
            far[rows] = F.interpolate(noise.uniform_(generator=generator), x.shape[2:])
            found[rows] = verdict(goal[rows], far[rows]).success
        return far, found

    def _boundary(self, goal: Goal, x: Images, far: Images) -> Images:
        """Where the way from ``x`` to a success ``far`` crosses the boundary, on the side of the success."""
        low, high = torch.zeros_like(x[:, 0, 0, 0]), torch.ones_like(x[:, 0, 0, 0])
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            success = verdict(goal, self._between(x, far, middle)).success
            low, high = torch.where(success, low, middle), torch.where(success, middle, high)
        return self._between(x, far, high)

    def _between(self, x: Images, far: Images, share: PerExample) -> Images:
        """The nearest image to ``far`` whose distance from ``x`` is that share of the whole (section IV.B, eq. 12)."""
        share = wide(share)
        if isinstance(self.threat, L2):
            return x + share * (far - x)
        reach = share * (far - x).abs().amax(PIXELS, keepdim=True)
        return x + (far - x).clamp(-reach, reach)


def _across(goal: Goal, near: Images, radius: PerExample, samples: int, generator: Generator) -> Images:
    """The direction across the boundary: the mean of random ones, for and against by whether they succeed (eq. 16)."""
    B = len(near)
    wins, won, asked = torch.zeros_like(radius), torch.zeros_like(near), torch.zeros_like(near)
    together = max(1, TOGETHER // B)
    for count in [together] * (samples // together) + [samples % together] * (samples % together > 0):
        rows = torch.arange(B, device=near.device).repeat(count)
        u = L2().steepest(torch.empty_like(near[rows]).normal_(generator=generator))
        around = (near[rows] + wide(radius[rows]) * u).clamp(0, 1)
        success = verdict(goal[rows], around).success.view(count, B)
        u = ((around - near[rows]) / wide(radius[rows])).view(count, *near.shape)
        weight = success.to(u.dtype)
        wins += weight.sum(0)
        won += torch.einsum("nb,nbchw->bchw", weight, u)
        asked += u.sum(0)
    # Where all agree there is no contrast: the mean direction then points across, or straight back (section III.C).
    share = wins / samples
    share = torch.where((share > 0) & (share < 1), share, 1 - share)
    return won - wide(share) * asked


def _leap(goal: Goal, near: Images, direction: Images, length: PerExample) -> Images:
    """A success beyond the boundary: the longest of ``length``, half of it, a quarter ... that succeeds."""
    far, left = near.clone(), torch.arange(len(near), device=near.device)
    for _ in range(BISECTIONS):
        x_adv = (near[left] + wide(length[left]) * direction[left]).clamp(0, 1)
        success = verdict(goal[left], x_adv).success
        far[left[success]] = x_adv[success]
        left = left[~success]
        if not len(left):
            break
        length = length / 2
    return far
