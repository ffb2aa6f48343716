"""Square Attack: random search with squares, which needs no gradient and so sees through masked ones.

Andriushchenko, Croce, Flammarion & Hein, "Square Attack: a query-efficient black-box adversarial attack via random
search", ECCV 2020, algorithms 1 to 3:

    x_new = x_adv with one square window changed at random;    x_adv = x_new where loss(x_new) > loss(x_adv)

Squares shrink as the search goes on, and every window's change has the largest size that the threat model allows.
Two departures: each image of a batch draws a square of its own, and an Linf square that would change nothing is flipped
instead of wasting its query. The L1 version is that of the authors' AutoAttack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks.base import Attack, Best, Generator, verdict
from seminar_lib.goals import Goal
from seminar_lib.losses import Loss, margin
from seminar_lib.threat import L1, L2, PIXELS, Linf, ThreatModel, wide
from seminar_lib.types import Images

# Section 3.1: of every 10,000 queries, the changed share of the image is halved after these.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
ORDERS = {L2: 2, L1: 1}  # p of the p-norm
PLANE = (2, 3)  # the dimensions of one channel in a batch (B, C, H, W)


@dataclass(frozen=True, repr=False)
class Square(Attack):
    """Random search over square windows, for the Linf, L2 and L1 threat models.

    Whether a square is kept hangs on small differences of the loss, so the search is exact.

    Attributes:
        queries: how many images the model is asked about, for each example.
        p_init: share of the pixels that the first squares cover, in (0, 1]; halved on the way by the paper's schedule,
            rescaled to ``queries``.

    Raises:
        TypeError: the threat model is not one of these.
        ValueError: a hyperparameter is out of range.
    """

    exact: ClassVar[bool] = True
    queries: int = 5000
    p_init: float = 0.8
    loss: Loss = field(default=margin, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.threat, Linf | L2 | L1):
            raise TypeError(f"Square knows how to fill a square for Linf, L2 and L1; got {self.threat!r}.")
        if self.queries < 1:
            raise ValueError(f"Square needs at least one query; got queries={self.queries}.")
        if not 0 < self.p_init <= 1:
            raise ValueError(f"Square needs p_init, a share of the pixels, in (0, 1]; got {self.p_init}.")

    def search(self, goal: Goal, x: Images, generator: Generator = None) -> Images:
        """The first query goes to stripes or tiles, each later one to a new square."""
        start, change = (_stripes, _paint) if isinstance(self.threat, Linf) else (_tiles, _move)
        x_adv = self.threat.project(x + start(x, self.threat, generator), x)
        best = Best(x)
        best.offer(best.all(), x_adv, verdict(goal, x_adv))
        rows, aim, clean = best.all(), goal, x
        for query in range(1, self.queries):
            if self.stop_when_fooled and best.success[rows].any():
                rows = best.unfooled()
                if not len(rows):
                    break
                aim, clean = goal[rows], x[rows]
            side = self._side(query, *x.shape[2:])
            x_adv = change(best.x[rows], clean, self.threat, side, generator)
            best.offer(rows, x_adv, verdict(aim, x_adv))
        return best.x

    def _side(self, query: int, height: int, width: int) -> int:
        """The side in pixels of the squares of this query."""
        halvings = sum(query * 10_000 > self.queries * late for late in HALVINGS)
        side = round(math.sqrt(self.p_init / 2**halvings * height * width))
        # In L2 and L1 a square is a hill beside a valley, which takes an odd side of at least 3 (algorithm 3).
        side = max(side, 1) if isinstance(self.threat, Linf) else max(side, 3) | 1
        return min(side, height, width)


def _stripes(x: Images, threat: ThreatModel, generator: Generator) -> Images:
    """Linf start: vertical stripes of one pixel, each channel of each stripe at +eps or -eps (section 3.2)."""
    B, C, _, W = x.shape
    return threat.eps * _signs(x, (B, C, 1, W), generator).expand_as(x)


def _paint(x_adv: Images, x: Images, threat: ThreatModel, side: int, generator: Generator) -> Images:
    """Linf: one window at +eps or -eps in each channel (algorithm 2), always another one than was there."""
    window = _window(x, side, generator).inside
    sign = threat.eps * _signs(x, (*x.shape[:2], 1, 1), generator)
    idle = ((x + sign).clamp(0, 1) == x_adv) | ~window
    same = wide(idle.flatten(1).all(1))
    return torch.where(window, (x + torch.where(same, -sign, sign)).clamp(0, 1), x_adv)


def _tiles(x: Images, threat: ThreatModel, generator: Generator) -> Images:
    """L2 and L1 start: a grid of tiles, a fifth of the image wide, each with a hill and a valley (section 3.3)."""
    B, C, H, W = x.shape
    side = max(min(H, W) // 5, 1)
    down, across = H // side, W // side
    signs = _signs(x, (B, C, down, across), generator).repeat_interleave(side, 2).repeat_interleave(side, 3)
    tiles = signs * _hill_and_valley(side, ORDERS[type(threat)]).to(x).repeat(down, across)
    top, left = (H - down * side) // 2, (W - across * side) // 2
    delta = F.pad(tiles, (left, W - across * side - left, top, H - down * side - top))
    return delta * wide(threat.eps / threat.norm(delta)).clamp_min(1)  # what is too long is projected


def _move(x_adv: Images, x: Images, threat: ThreatModel, side: int, generator: Generator) -> Images:
    """L2 and L1: what two windows hold goes into one of them, with what clipping left unused (algorithm 3)."""
    B, C = x.shape[:2]
    p = ORDERS[type(threat)]
    new, emptied = _window(x, side, generator), _window(x, side, generator).inside
    delta = x_adv - x
    unused = (threat.eps**p - delta.abs().pow(p).sum(PIXELS, keepdim=True)).clamp_min(0)
    held = ((new.inside | emptied) * delta).abs().pow(p).sum(PLANE, keepdim=True)
    hill = _hill_and_valley(side, p).to(x)
    turned = torch.randint(2, (B, 1, 1), generator=generator, device=x.device)
    hills = torch.stack([hill, hill.T])[turned, new.down, new.across][:, None] * new.inside  # (B, 1, H, W)
    direction = hills * _signs(x, (B, C, 1, 1), generator) + _unit(new.inside * delta, p)
    # In L1 the projection takes the same from every value: of a window that is too long the tops of the hills remain.
    length = (held + unused / C).pow(1 / p) * (C if p == 1 else 1)
    moved = torch.where(new.inside, length * _unit(direction, p), delta.masked_fill(emptied, 0))
    return threat.project(x + moved, x)


class Window(NamedTuple):
    """A square at a random place in each image.

    Attributes:
        inside: the pixels that it covers, (B, 1, H, W).
        down: the row inside the square, (B, H, 1), for pixels that it covers.
        across: the column inside the square, (B, 1, W).
    """

    inside: Tensor
    down: Tensor
    across: Tensor


def _window(x: Images, side: int, generator: Generator) -> Window:
    B, _, H, W = x.shape
    top, left = (torch.randint(length - side + 1, (B, 1), generator=generator, device=x.device) for length in (H, W))
    down, across = torch.arange(H, device=x.device) - top, torch.arange(W, device=x.device) - left
    rows, columns = ((place >= 0) & (place < side) for place in (down, across))
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return Window(inside, down.clamp(0, side - 1)[:, :, None], across.clamp(0, side - 1)[:, None, :])


def _hill_and_valley(side: int, p: int) -> Tensor:
    """A square of length 1 in the p-norm: a hill in its upper half, the same upside down in its lower (eq. 3)."""
    upper = side // 2
    square = torch.cat([_hill(upper, side, p), -_hill(side - upper, side, p)])
    return _unit(square[None, None], p)[0, 0]


def _hill(height: int, width: int, p: int) -> Tensor:
    """A rectangle, highest in its middle: at the distance d (counted as a king walks), 1/(d+1)^k + ... + 1/(n+1)^k.

    The exponent k is 2 in L2; in L1, where a pixel's change is paid for in full, hills are steeper: k is 4.
    """
    down = (torch.arange(height) - height // 2).abs()
    across = (torch.arange(width) - width // 2).abs()
    terms = (1.0 + torch.arange(max(height, width) // 2 + 1)).pow(-4 // p)
    heights = terms.flip(0).cumsum(0).flip(0)
    return heights[torch.maximum(down[:, None], across[None, :])]


def _unit(channels: Tensor, p: int) -> Tensor:
    """Each channel of (B, C, H, W) scaled to length 1 in the p-norm; zero where it is zero."""
    length: Tensor = torch.linalg.vector_norm(channels, p, dim=PLANE, keepdim=True)
    return channels / length.clamp_min(torch.finfo(channels.dtype).tiny)


def _signs(x: Images, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """+1 or -1 at random, in the dtype and on the device of ``x``."""
    return (2 * torch.randint(2, shape, generator=generator, device=x.device) - 1).to(x.dtype)
