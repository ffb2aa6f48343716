"""The nearest image on a hyperplane: where a linearised network changes its mind, without leaving [0, 1].

Croce & Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, section 2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seminar_lib.threat import L1, PIXELS, Linf, ThreatModel, wide
from seminar_lib.types import Images, PerExample

ROUNDS = 12  # few pixels are still moving after as many; what then lacks to the plane is below float32's rounding

TIE = 1e-4  # pixels of [0, 1]; a step of this length breaks a tie, and float32 does not lose it


def just_short(value: Tensor, dual: Tensor) -> Tensor:
    """``value``, but of a function that is exactly 0 the value at ``TIE`` before its boundary; the rest is untouched.

    A tie of the two largest logits need not be won, and from the boundary itself the way there has no length.

    Args:
        value: of linear functions, negative short of the boundary.
        dual: their slopes' dual norms, of the same shape.
    """
    return torch.where(value == 0, -TIE * dual, value)


def shortest_way(threat: ThreatModel, x: Images, value: PerExample, slope: Images) -> Images:
    """The shortest d, in the threat's norm and with x + d in [0, 1], for which value + <slope, d> = 0.

    Where the plane does not cut the box, d leads to the box's corner nearest to the plane.

    Args:
        threat: Linf, L2 or L1; only its norm counts.
        x: images in [0, 1].
        value: of the linear function at ``x``.
        slope: its gradient, of the same shape as ``x``.
    """
    direction = -slope.sign() * wide(value.sign())
    room = torch.where(direction > 0, 1 - x, x)
    steepness = slope.abs()
    length = _one_by_one if isinstance(threat, L1) else _all_at_once
    speed = (steepness > 0).to(x.dtype) if isinstance(threat, Linf) else steepness
    return direction * length(value.abs(), steepness, speed, room)


def _all_at_once(need: PerExample, steepness: Images, speed: Images, room: Images) -> Images:
    """How far each value moves when all start together, each at its own speed, and stop at the edge of their room.

    In Linf all speeds are equal, in L2 a value moves in proportion to its slope. What the linear function has gained
    by time t bends down wherever a value stops. Newton's method for such a curve starts at 0, never goes too far, and
    each of its rounds takes the time that the values still moving would need.
    """
    time = wide(torch.zeros_like(need))
    for _ in range(ROUNDS):
        way = torch.minimum(time * speed, room)
        missing = need - (steepness * way).sum(PIXELS)
        rate = (steepness * speed * (way < room)).sum(PIXELS)
        time = time + wide(torch.where(rate > 0, missing / rate, 0).clamp_min(0))
    return torch.minimum(time * speed, room)


def _one_by_one(need: PerExample, steepness: Images, speed: Images, room: Images) -> Images:
    """How far each value moves in L1: the steepest as far as it may, then the next, until the need is met."""
    slopes, order = steepness.flatten(1).sort(1, descending=True)
    gains = slopes * room.flatten(1).gather(1, order)
    missing = (need[:, None] - (gains.cumsum(1) - gains)).clamp_min(0)  # before each value's turn
    ways: Tensor = torch.where(slopes > 0, torch.minimum(missing, gains) / slopes, 0)
    return torch.zeros_like(ways).scatter(1, order, ways).view_as(room)
