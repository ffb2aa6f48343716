"""Adversarial stickers: a small picture that fools the model wherever it is stuck on.

Brown et al., "Adversarial Patch", NeurIPS workshop 2017, with the expectation over transformation of Athalye et al.,
"Synthesizing Robust Adversarial Examples", ICML 2018:

    sticker = argmax_s E_{x, place} loss(f(paste(s, x, place)), y)

No eps bounds the pixels of a sticker; its area is what is limited. Each step looks at other images, each with the
sticker at a place, angle and size of its own. Brown et al. climb towards a target; ours takes any goal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.attacks.base import Generator, care, climb
from seminar_lib.attacks.fgsm import FGSM
from seminar_lib.goals import Goal, Score
from seminar_lib.losses import margin
from seminar_lib.types import Images, Labels, Model


@dataclass(frozen=True)
class Sticker:
    """How a sticker is made and how it is stuck on.

    Attributes:
        size: its side as a share of the image's, in (0, 1].
        turn: the largest angle to either side, in degrees.
        zoom: by how much its size may vary, as a share, in [0, 1).
        steps: mini-batches that it is learnt on.
        batch_size: images in each.
        pixels: its resolution along one side.

    Raises:
        ValueError: a setting is out of range.
    """

    size: float = 0.3
    turn: float = 15.0
    zoom: float = 0.1
    steps: int = 150
    batch_size: int = 64
    pixels: int = 16

    def __post_init__(self) -> None:
        if not 0 < self.size <= 1 or not 0 <= self.zoom < 1 or not 0 <= self.turn <= 180:
            raise ValueError(
                "Sticker needs a size in (0, 1], a zoom in [0, 1) and a turn in [0, 180] degrees; "
                f"got size={self.size}, zoom={self.zoom}, turn={self.turn}."
            )
        if min(self.steps, self.batch_size, self.pixels) < 1:
            raise ValueError(
                "Sticker needs at least one step, one image a step and one pixel; "
                f"got steps={self.steps}, batch_size={self.batch_size}, pixels={self.pixels}."
            )

    def learn(
        self,
        model: Model,
        x: Images,
        y: Labels,
        target: Labels | None = None,
        boxes: Tensor | None = None,
        generator: Generator = None,
    ) -> Tensor:
        """One sticker for all images, (1, C, pixels, pixels) in [0, 1]; it climbs the margin.

        Args:
            model: images in [0, 1] to logits.
            x: clean images in [0, 1].
            y: their true labels.
            target: when given, the labels that the sticker shall produce.
            boxes: where it may be stuck on, as for ``paste``.
            generator: where random numbers come from.

        Raises:
            TypeError, ValueError: as for an attack.
        """
        goal = FGSM(loss=margin).goal(model, x, y, target)
        side = self.pixels
        sticker = torch.rand(1, x.shape[1], side, side, generator=generator, device=x.device, dtype=x.dtype)
        with care(goal, x):
            for step in range(self.steps):
                rows = torch.randperm(len(x), generator=generator, device=x.device)[: self.batch_size]
                places = self._places(x[rows], None if boxes is None else boxes[rows], generator)
                worn = _Worn(goal[rows], x[rows].clamp(0, 1), places)
                _, grad = climb(worn, sticker.expand(len(rows), -1, -1, -1))
                stride = 0.1 * (1 - step / self.steps)  # a tenth of all brightness at first, settling towards the end
                sticker = (sticker + stride * grad.sum(0, keepdim=True).sign()).clamp(0, 1)
        return sticker

    def paste(self, sticker: Tensor, x: Images, boxes: Tensor | None = None, generator: Generator = None) -> Images:
        """Each image with the sticker at a random place, angle and size.

        Args:
            sticker: (1, C, S, S) in [0, 1].
            x: images in [0, 1].
            boxes: (B, 4) left, top, right, bottom in pixels; its centre stays inside. Anywhere when omitted.
            generator: where random numbers come from.
        """
        return _paste(sticker.expand(len(x), -1, -1, -1), x, self._places(x, boxes, generator))

    def _places(self, x: Images, boxes: Tensor | None, generator: Generator) -> Tensor:
        """For each image the map from its coordinates to those of the sticker, (B, 2, 3), both in [-1, 1]."""
        height, width = x.shape[2:]
        scale = torch.tensor([width, height], dtype=x.dtype, device=x.device)
        if boxes is None:
            boxes = torch.cat([torch.zeros_like(scale), scale]).expand(len(x), 4)
        across, down, angle, size = torch.rand(4, len(x), generator=generator, device=x.device, dtype=x.dtype)
        corner, far = 2 * boxes[:, :2] / scale - 1, 2 * boxes[:, 2:] / scale - 1
        centre = corner + (far - corner) * torch.stack([across, down], 1)
        reach = self.size * (1 + self.zoom * (2 * size - 1))
        inside = (1 - reach)[:, None]  # as far as its centre may go without the sticker leaving the picture
        centre = torch.maximum(torch.minimum(centre, inside), -inside)
        angle = math.radians(self.turn) * (2 * angle - 1)
        turned = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], 1).view(-1, 2, 2)
        turned = turned / reach[:, None, None]
        return torch.cat([turned, -turned @ centre[:, :, None]], 2)


@dataclass(frozen=True, eq=False)
class _Worn(Goal):
    """A goal for stickers: how the images that wear them score."""

    goal: Goal
    x: Images
    places: Tensor

    def __call__(self, x: Images) -> Score:
        return self.goal(_paste(x, self.x, self.places))


def _paste(stickers: Tensor, x: Images, places: Tensor) -> Images:
    """The stickers on the images, bilinear in between pixels."""
    grid = F.affine_grid(places, list(x.shape), align_corners=False)
    picture = F.grid_sample(stickers, grid, padding_mode="border", align_corners=False)
    on = (grid.abs() <= 1).all(3)[:, None]
    return torch.where(on, picture, x)
