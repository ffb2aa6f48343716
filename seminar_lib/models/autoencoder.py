"""A network that takes noise out of images.

Vincent, Larochelle, Bengio and Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML
2008: an encoder makes an image small, a decoder makes it large again, and what comes out is to be the image before the
noise. Noise that does not survive the way through is gone.

The layers are those of ``resnet.py``; the smallest layer holds 8x8 places of a 32x32 image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from seminar_lib.models.resnet import Residual
from seminar_lib.types import Images


@dataclass(frozen=True)
class Autoencoder:
    """Three residual blocks down to a quarter of the image's height and two up again; 0.1 M parameters at width 16."""

    width: int = 16

    def build(self, channels: int) -> Denoiser:
        """A freshly initialised network for images with so many channels."""
        return Denoiser(channels, self.width)


class Denoiser(nn.Module):
    """Images, with noise that may lead beyond [0, 1], to images in [0, 1].

    Args:
        channels: of the images.
        width: channels of the largest layers.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.channels = channels
        self.backbone = nn.Sequential(
            *(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            Residual(width, width, stride=1),
            Residual(width, 2 * width, stride=2),
            Residual(2 * width, 4 * width, stride=2),
            nn.Upsample(scale_factor=2.0),
            Residual(4 * width, 2 * width, stride=1),
            nn.Upsample(scale_factor=2.0),
            Residual(2 * width, width, stride=1),
            nn.Conv2d(width, channels, 3, padding=1),
            nn.Sigmoid(),
        )

    @property
    def built_for(self) -> dict[str, int]:
        """What ``Autoencoder.build`` was told."""
        return {"channels": self.channels}

    def forward(self, x: Images) -> Images:
        """The images without their noise; of the type of ``x`` even under autocast.

        Raises:
            ValueError: the images have another number of channels, or sides that are no multiples of 4.
        """
        if x.shape[1] != self.channels or x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(
                f"This network takes images with {self.channels} channels, height and width multiples of 4; got shape "
                f"{tuple(x.shape)}."
            )
        return cast(Tensor, self.backbone(2 * x - 1)).to(x.dtype)
