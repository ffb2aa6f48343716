"""Augmentation: random crops, flips and colour jitter for a whole batch at once, on the device that holds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.types import Images


@dataclass(frozen=True)
class Augment:
    """A random change of each image that keeps its label.

    Attributes:
        crop: shift by up to this many pixels in each direction; what comes in is a mirror image of the border.
        flip: mirror half of the images left to right. Not for signs: an arrow to the left is another class.
        jitter: change brightness and contrast by up to this fraction, each colour channel a little differently.

    Raises:
        ValueError: ``crop`` is negative or ``jitter`` is not in [0, 1].
    """

    crop: int = 4
    flip: bool = False
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if self.crop < 0 or not 0 <= self.jitter <= 1:
            raise ValueError(
                f"Augment needs crop >= 0 pixels and jitter in [0, 1]; got crop={self.crop}, jitter={self.jitter}."
            )

    def __call__(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Augmented images in [0, 1], all of them changed differently."""
        if self.crop:
            x = _shift(x, self.crop, generator)
        if self.flip:
            mirrored = uniform(x, 0, 1, generator) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        if self.jitter:
            x = _relight(x, self.jitter, generator)
        return x


def _shift(x: Images, most: int, generator: torch.Generator | None) -> Images:
    """Cut a window of the same size out of the mirrored-out image, at a random place for each example."""
    B, _, H, W = x.shape
    padded = F.pad(x, [most] * 4, mode="reflect")
    top, left = torch.randint(2 * most + 1, (2, B, 1), generator=generator, device=x.device)
    rows = top + torch.arange(H, device=x.device)  # (B, H)
    columns = left + torch.arange(W, device=x.device)  # (B, W)
    example = torch.arange(B, device=x.device)[:, None, None]
    window = padded.permute(0, 2, 3, 1)[example, rows[:, :, None], columns[:, None, :]]  # (B, H, W, C)
    return window.permute(0, 3, 1, 2)


def _relight(x: Images, jitter: float, generator: torch.Generator | None) -> Images:
    """Stretch each image about its mean (contrast), then scale it (brightness) and its channels (colour cast)."""
    mean = x.mean((1, 2, 3), keepdim=True)
    contrast = uniform(x, 1 - jitter, 1 + jitter, generator)
    brightness = uniform(x, 1 - jitter, 1 + jitter, generator)
    cast = uniform(x, 1 - jitter / 2, 1 + jitter / 2, generator, channels=x.shape[1])
    return ((mean + contrast * (x - mean)) * brightness * cast).clamp(0, 1)


def uniform(x: Images, low: float, high: float, generator: torch.Generator | None, channels: int = 1) -> Tensor:
    """A random number for each image, or for each of its channels, (B, 1 or ``channels``, 1, 1)."""
    shape = (len(x), channels, 1, 1)
    return torch.empty(shape, dtype=x.dtype, device=x.device).uniform_(low, high, generator=generator)
