"""Residual networks for 32x32 images.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. For small images the stem is a 3x3 convolution
of stride 1 without pooling, as in the CIFAR experiments of section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.models.classifier import Classifier


@dataclass(frozen=True)
class SmallCNN:
    """One residual block in each of four stages; 0.3 M parameters at width 16. The network for signs and laptops."""

    width: int = 16

    def build(self, classes: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Classifier:
        """A freshly initialised classifier for images with ``len(mean)`` channels."""
        return _resnet(self.width, blocks=1, classes=classes, mean=mean, std=std)


@dataclass(frozen=True)
class ResNet18:
    """Two residual blocks in each of four stages; width 64 (11 M parameters) is the papers' CIFAR-10 network."""

    width: int = 64

    def build(self, classes: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Classifier:
        """A freshly initialised classifier for images with ``len(mean)`` channels."""
        return _resnet(self.width, blocks=2, classes=classes, mean=mean, std=std)


class Residual(nn.Module):
    """x + F(x): two 3x3 convolutions beside a shortcut (He et al., fig. 2)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.stride = stride
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels_in != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels, H / stride, W / stride)."""
        residual = F.relu(self.norm1(self.conv1(x)))
        residual = self.norm2(self.conv2(residual))
        # A 1x1 convolution of stride 2 looks at every other pixel. Here it is given no others: that of oneDNN in torch
        # 2.15, on CPUs without AVX-512, writes beyond its memory if the network is very narrow, and the process dies.
        every_other = x[:, :, :: self.stride, :: self.stride]
        return F.relu(residual + cast(Tensor, self.shortcut(every_other)))


def _resnet(width: int, blocks: int, classes: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Classifier:
    widths = [width, width, 2 * width, 4 * width, 8 * width]  # stem, then four stages
    layers: list[nn.Module] = [
        nn.Conv2d(len(mean), width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    ]
    for stage, (before, after) in enumerate(pairwise(widths)):
        layers.append(Residual(before, after, stride=1 if stage == 0 else 2))
        layers.extend(Residual(after, after, stride=1) for _ in range(blocks - 1))
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return Classifier(nn.Sequential(*layers), widths[-1], classes, mean, std)
