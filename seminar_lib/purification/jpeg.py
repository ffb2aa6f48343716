"""JPEG: round what the eye does not see, in the hope that the perturbation is among it.

ITU-T T.81, 1992; as a defence: Dziugaite, Ghahramani & Roy, "A study of the effect of JPG compression on adversarial
images", 2016; Guo et al., "Countering Adversarial Images using Input Transformations", ICLR 2018, section 4, at
quality 75.

    x' = inverse(q * round(transform(x) / q))

in 8x8 blocks of brightness and colour, where the steps q grow with the frequency and shrink with the quality. Only this
rounding loses anything; what a file does with the numbers afterwards does not, and is left out. We keep colour at full
resolution (4:4:4), where most programs halve it, and round no pixel to bytes on the way.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seminar_lib.purification.cosines import BLOCK, inverse, transform
from seminar_lib.types import Images

# T.81, tables K.1 and K.2: the steps at quality 50, from low frequencies to high, in grey levels.
BRIGHTNESS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
# JFIF 1.02, section 7: red, green, blue to Y, Cb, Cr, the last two about 0.
YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


class JPEG(nn.Module):
    """Compress images and read them again; grey ones have their brightness only.

    Rounding has no slope: the gradient is zero everywhere. Undone by BPDA with the identity.

    Args:
        quality: 1, the coarsest, to 100, as programs of the Independent JPEG Group count it.

    Raises:
        ValueError: ``quality`` is out of range; in a call, when the images have neither one channel nor three.
    """

    steps: Tensor
    ycbcr: Tensor

    def __init__(self, quality: int = 75) -> None:
        super().__init__()
        if not 1 <= quality <= 100:
            raise ValueError(f"JPEG needs a quality from 1 to 100; got {quality}.")
        self.quality = quality
        self.register_buffer("steps", torch.stack([_steps(t, quality) for t in (BRIGHTNESS, COLOUR, COLOUR)]), False)
        self.register_buffer("ycbcr", torch.tensor(YCBCR), False)

    def extra_repr(self) -> str:
        return f"quality={self.quality}"

    def forward(self, x: Images) -> Images:
        """Images to images of the same size."""
        C, H, W = x.shape[1:]
        if C not in (1, 3):
            raise ValueError(f"JPEG knows grey images and those of red, green and blue; got {C} channels.")
        colours = self.ycbcr.to(x) if C == 3 else x.new_ones(1, 1)
        middle = 128 * (torch.arange(C, device=x.device) == 0).view(C, 1, 1)  # of the brightness; colours are about 0
        steps = self.steps[:C, None, None].to(x)
        levels = F.pad(_mix(colours, 255 * x) - middle, (0, -W % BLOCK, 0, -H % BLOCK), "replicate")
        kept = inverse(steps * (transform(levels) / steps).round())[..., :H, :W]
        return (_mix(colours.inverse(), kept + middle) / 255).clamp(0, 1)


def _steps(table: tuple[tuple[int, ...], ...], quality: int) -> Tensor:
    """How far apart two levels of each coefficient are, as in the Independent JPEG Group's ``jpeg_set_quality``."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.tensor(table) * scale + 50) // 100).clamp(1, 255)


def _mix(weights: Tensor, x: Images) -> Images:
    """Each pixel's channels by a matrix."""
    with torch.autocast(x.device.type, enabled=False):
        return torch.einsum("dc,bchw->bdhw", weights, x)
