"""The strong augmentation of contrastive learning: two views of an image that have little but their content in common.

Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020, section 3: crops of any
size that are resized, together with distorted colours. With weaker views an image is found again by its histogram.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from seminar_lib.data.augment import Augment, uniform
from seminar_lib.types import Images


@dataclass(frozen=True)
class SimCLRAugment(Augment):
    """Enlarge a random part of each image, change its colours, take them away from some.

    The jitter is that of ``Augment``: of brightness, contrast and the colour channels. SimCLR's turns hue and
    saturation as well and spares a fifth of the images.

    Attributes:
        crop, flip, jitter: as in ``Augment``.
        zoom: the smallest share of the area that is enlarged to the whole, in (0, 1]; sides keep a ratio of 3:4 to 4:3
            where the image is large enough. 0.2 is usual for CIFAR-10, where SimCLR itself has 0.08.
        grey: the share of images that lose their colours, in [0, 1].

    Raises:
        ValueError: as ``Augment``; ``zoom`` or ``grey`` is out of range.
    """

    crop: int = 0
    jitter: float = 0.4
    zoom: float = 0.2
    grey: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.zoom <= 1 and 0 <= self.grey <= 1):
            raise ValueError(
                f"SimCLRAugment needs zoom in (0, 1] and grey in [0, 1]; got zoom={self.zoom}, grey={self.grey}."
            )

    def __call__(self, x: Images, generator: torch.Generator | None = None) -> Images:
        x = super().__call__(_enlarge(x, self.zoom, generator), generator)
        colourless = uniform(x, 0, 1, generator) < self.grey
        return torch.where(colourless, x.mean(1, keepdim=True), x)


def _enlarge(x: Images, smallest: float, generator: torch.Generator | None) -> Images:
    """A window of each image, ``smallest`` to 1 of its area, resized to the whole; bilinear."""
    area = uniform(x, smallest, 1, generator)
    ratio = uniform(x, -math.log(4 / 3), math.log(4 / 3), generator).exp()
    height, width = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    # The centre lies where the window stays inside; the image spans [-1, 1].
    down, right = (uniform(x, -1, 1, generator) * (1 - side) for side in (height, width))
    none = torch.zeros_like(area)
    window = torch.cat([width, none, right, none, height, down], dim=1).view(len(x), 2, 3)
    grid = F.affine_grid(window, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
