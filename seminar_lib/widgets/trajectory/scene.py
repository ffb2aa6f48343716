"""A walk of PGD over the surface that it climbs, the one step of FGSM beside it, and a map of the surface.

    x_{t+1} = project(x_t + size * sign(grad_x loss(x_t)))

The map is a plane through three images: the clean one, that of FGSM, and the last of the walk. Images in between lie
beside the plane and are placed where they fall onto it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.data.dataset import Split
from seminar_lib.freeze import frozen
from seminar_lib.goals import Misclassify
from seminar_lib.losses import margin
from seminar_lib.threat import Linf
from seminar_lib.types import Images, Model
from seminar_lib.widgets.canvas import Point
from seminar_lib.widgets.images import hwc, walked

Field: TypeAlias = NDArray[np.float64]

STEPS = 20
GRID = (9, 11)  # rows and columns of the points at which the map asks the model


@dataclass(frozen=True)
class Spot:
    """One image and what the model says of it.

    Attributes:
        pixels: (H, W, C) in [0, 1].
        p: probabilities (K,).
        margin: the best wrong logit minus the right one; above zero the model is wrong.
        at: where it falls onto the map's plane, in units of L2 length; the clean image is at (0, 0), that of FGSM to
            the right.
    """

    pixels: NDArray[np.float64]
    p: NDArray[np.float64]
    margin: float
    at: Point


@dataclass(frozen=True)
class Scene:
    """One walk with its map.

    Attributes:
        clean: the clean image.
        fgsm: what FGSM makes of it in the same ball.
        walk: the start of PGD and the image after each of ``STEPS`` steps.
        corner: the map's lower left corner.
        scale: side of one of the map's squares, in the units of ``Spot.at``.
        terrain: the margin at the middle of each square, (rows, columns), the top row first.
        edge: points around the edge of the ball.
    """

    clean: Spot
    fgsm: Spot
    walk: tuple[Spot, ...]
    corner: Point
    scale: float
    terrain: Field
    edge: tuple[Point, ...]

    @classmethod
    def of(cls, model: Model, one: Split, eps: int, size: float, start: int) -> Scene:
        """Take one walk and draw up its map.

        Args:
            model: images in [0, 1] to logits (B, K).
            one: a single image with its label, on the model's device.
            eps: radius of the Linf ball in grey levels.
            size: of a step of PGD, in grey levels.
            start: 0 for the clean image; any other number is the seed of a random start.
        """
        ball = Linf(eps / 255)
        pgd = PGD(ball, steps=STEPS, step_size=size / 255, random_start=start > 0, stop_when_fooled=False)
        with frozen(model):
            goal = Misclassify(model, one.y)
            x = torch.cat([one.x, FGSM(ball).search(goal, one.x), walked(pgd, goal, one.x, start)])
            axes = _plane(x - one.x)
            at = (x - one.x).flatten(1) @ axes.T
            spots = _spots(model, x, one.y, at)
            corner, scale = _frame(at)
            terrain = _terrain(model, one, axes, corner, scale)
        return cls(spots[0], spots[1], tuple(spots[2:]), corner, scale, terrain, _edge(axes, ball.eps))

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """All images on the map."""
        return (self.clean, self.fgsm, *self.walk)

    @cached_property
    def peaks(self) -> NDArray[np.float64]:
        """The largest probability that each class reaches at any of them."""
        peaks: NDArray[np.float64] = np.stack([spot.p for spot in self.spots]).max(0)
        return peaks


@torch.no_grad()
def _spots(model: Model, x: Images, y: Tensor, at: Tensor) -> list[Spot]:
    """What the model says of each image; ``y`` is the label that they share."""
    logits = model(x)
    p = logits.softmax(1).cpu().double().numpy()
    margins = margin(logits, y.expand(len(x))).tolist()
    return [
        Spot(pixels, odds, height, (place[0], place[1]))
        for pixels, odds, height, place in zip(hwc(x), p, margins, at.tolist(), strict=True)
    ]


@torch.no_grad()
def _terrain(model: Model, one: Split, axes: Tensor, corner: Point, scale: float) -> Field:
    """The margin at the middle of each square of the map, (rows, columns), the top row first."""
    rows, columns = (torch.arange(count, device=axes.device) + 0.5 for count in GRID)
    right, up = corner[0] + scale * columns, corner[1] + scale * rows.flip(0)
    moves = right[None, :, None] * axes[0] + up[:, None, None] * axes[1]
    x = one.x + moves.view(-1, *one.x.shape[1:])
    terrain: Field = margin(model(x), one.y.expand(len(x))).view(GRID).cpu().double().numpy()
    return terrain


def _plane(moves: Images) -> Tensor:
    """Two orthonormal directions, (2, C * H * W), whose plane holds the second and the last of the moves.

    The first is that of the second move. Where a move gives no new direction, because it is zero or lies along the
    first, a random one takes its place.
    """
    flat = moves.flatten(1)
    noise = torch.randn(2, flat.shape[1], generator=torch.Generator().manual_seed(0)).to(flat)
    axes = flat[:0]
    for candidates in ((flat[1], noise[0]), (flat[-1], noise[1])):
        for move in candidates:
            rest = move - (axes @ move) @ axes
            if rest.norm() > 1e-3 * move.norm():
                axes = torch.cat([axes, rest[None] / rest.norm()])
                break
    return axes


def _frame(at: Tensor) -> tuple[Point, float]:
    """The lower left corner of a map that holds all places ``at``, (N, 2), and room around; the side of its cells."""
    low, high = at.amin(0).tolist(), at.amax(0).tolist()
    rows, columns = GRID
    scale = 1.3 * max((high[0] - low[0]) / columns, (high[1] - low[1]) / rows, 1e-6)
    return ((low[0] + high[0] - scale * columns) / 2, (low[1] + high[1] - scale * rows) / 2), scale


def _edge(axes: Tensor, eps: float) -> tuple[Point, ...]:
    """Points of the plane of ``axes`` that are ``eps`` away from its origin in the Linf norm, in every direction."""
    angles = torch.linspace(0, 2 * torch.pi, 361, device=axes.device)
    directions = torch.stack([angles.cos(), angles.sin()], 1)
    edge = eps * directions / (directions @ axes).abs().amax(1, keepdim=True)
    return tuple((x, y) for x, y in edge.tolist())
