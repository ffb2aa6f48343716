"""The network of a diffusion model: a noisy image and its step to the noise in it.

Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, appendix B; the U is that of Ronneberger,
Fischer and Brox, "U-Net", MICCAI 2015:

    16x16 ---------------------------------------- 16x16       a line: what was seen on the way down is laid
       8x8 -------------------------------- 8x8                beside what comes up, so that no detail is lost
          4x4 ------------------------ 4x4
                     4x4 block

The deeper, the more of the image one number has seen. All blocks are told the step, as a vector.

Theirs has 36 M parameters and self-attention at 16x16. Ours has 1 M and none, and sees an image as patches of 2x2
pixels from the first layer on (Hoogeboom, Heek and Salimans, "Simple diffusion", ICML 2023, section 3.2), which is four
times as fast: it must learn on a laptop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from seminar_lib.types import Images

PATCH = 2
LEVELS = 3


@dataclass(frozen=True)
class UNet:
    """Three sizes of image, ``width`` channels in the largest and twice as many below; 1.0 M parameters at width 48."""

    width: int = 48

    def build(self, channels: int) -> NoisePredictor:
        """A freshly initialised network for images with so many channels.

        Raises:
            ValueError: ``width`` is no multiple of 8, in which channels are normalised together.
        """
        if self.width < 8 or self.width % 8:
            raise ValueError(f"UNet needs a width that is a multiple of 8; got {self.width}.")
        return NoisePredictor(channels, self.width)


class NoisePredictor(nn.Module):
    """The noise eps that a diffusion model sees in x_t.

    Args:
        channels: of the images.
        width: of the largest level.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.channels = channels
        self.backbone = _U(channels, width)

    @property
    def built_for(self) -> dict[str, int]:
        """What ``UNet.build`` was told."""
        return {"channels": self.channels}

    def forward(self, x: Images, t: Int[Tensor, " B"]) -> Images:
        """The noise in images on the way from data (in [-1, 1], at t = 0) to noise; float32 even under autocast.

        Args:
            x: (B, C, H, W), H and W multiples of 8.
            t: how far along each image is, 1 to ``diffusion.schedule.T``.

        Raises:
            ValueError: the images have another number of channels, or a size that cannot be halved three times.
        """
        if x.shape[1] != self.channels or x.shape[2] % PATCH**LEVELS or x.shape[3] % PATCH**LEVELS:
            raise ValueError(
                f"This network takes images with {self.channels} channels, height and width multiples of "
                f"{PATCH**LEVELS}; got shape {tuple(x.shape)}."
            )
        return cast(Tensor, self.backbone(x, t)).to(x.dtype)


class _U(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        wide, time = 2 * width, 4 * width
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time), nn.SiLU())
        self.stem = nn.Conv2d(channels * PATCH**2, width, 3, padding=1)
        self.down = nn.ModuleList([Block(width, width, time), Block(width, wide, time), Block(wide, wide, time)])
        self.middle = Block(wide, wide, time)
        self.up = nn.ModuleList(
            [Block(2 * wide, wide, time), Block(2 * wide, width, time), Block(2 * width, width, time)]
        )
        self.out = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, channels * PATCH**2, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        time = self.time(waves(t, self.stem.out_channels).to(x.dtype))  # (B, 4 * width)
        h = self.stem(F.pixel_unshuffle(x, PATCH))  # (B, width, H / 2, W / 2)
        seen = []
        for level, block in enumerate(self.down):
            h = block(F.avg_pool2d(h, 2) if level else h, time)
            seen.append(h)
        h = self.middle(h, time)  # (B, 2 * width, H / 8, W / 8)
        for level, block in enumerate(self.up):
            h = F.interpolate(h, scale_factor=2.0) if level else h
            h = block(torch.cat([h, seen.pop()], 1), time)
        return F.pixel_shuffle(self.out(h), PATCH)


class Block(nn.Module):
    """x + F(x, time): twice normalise, bend and convolve; the time shifts each channel in between."""

    def __init__(self, channels_in: int, channels: int, time: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, channels_in), nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.time = nn.Linear(time, channels)
        self.shortcut = nn.Identity() if channels_in == channels else nn.Conv2d(channels_in, channels, 1)
        nn.init.zeros_(self.conv2.weight)  # so that a block begins as its shortcut

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels, H, W)."""
        h = self.conv1(F.silu(self.norm1(x))) + self.time(time)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return cast(Tensor, self.shortcut(x) + h)


def waves(t: Int[Tensor, " B"], features: int) -> Float[Tensor, "B D"]:
    """A step as a vector: sines and cosines of t, from one radian a step to one in 10,000 (Vaswani et al., 2017)."""
    places = torch.arange(features // 2, device=t.device)
    frequencies: Tensor = 10_000.0 ** (-places / len(places))
    angles = t[:, None] * frequencies  # (B, D / 2)
    return torch.cat([angles.sin(), angles.cos()], 1)
