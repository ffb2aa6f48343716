"""Bit-depth reduction: few grey levels, so that a small change is rounded away.

Xu, Evans & Qi, "Feature Squeezing", NDSS 2018, section 3.1; Guo et al., "Countering Adversarial Images using Input
Transformations", ICLR 2018, section 4:

    x' = round(x * (2^bits - 1)) / (2^bits - 1)
"""

from __future__ import annotations

import torch
from torch import nn

from seminar_lib.types import Images


class Quantise(nn.Module):
    """Round every pixel to one of 2^bits levels.

    Small perturbations seem to be rounded away. In truth a pixel near a threshold jumps a whole level, and what is
    really gone is the slope: it is zero everywhere. Undone by BPDA with the identity.

    Raises:
        ValueError: there is less than one bit.
    """

    def __init__(self, bits: int = 4) -> None:
        super().__init__()
        if bits < 1:
            raise ValueError(f"Quantise needs at least one bit; got {bits}.")
        self.bits = bits

    def extra_repr(self) -> str:
        return f"bits={self.bits}"

    def forward(self, x: Images) -> Images:
        """Images to images of few grey levels."""
        levels = float(2**self.bits - 1)
        return torch.round(x * levels) / levels
