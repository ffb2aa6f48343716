"""torchvision's vision transformer, quick in bfloat16 on a CPU as well.

There PyTorch's fused attention takes over ten times as long as in float32, forwards and backwards (2.15, on an
Intel Xeon; 128 images of 16 words, 2 heads of 32 entries): two thirds of a training step. The plain one, product by
product, is seven times as fast as that. In float32, and on a GPU, the fused one is the fastest, and stays.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

from contextlib import nullcontext
from typing import cast

import torch
import torchvision.models
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel


class VisionTransformer(torchvision.models.VisionTransformer):
    """The same network, with weights of the same names."""

    def forward(self, x: Tensor) -> Tensor:
        """As torchvision's; on a CPU under autocast with plain attention."""
        plain = x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        with sdpa_kernel(SDPBackend.MATH) if plain else nullcontext():
            return cast(Tensor, super().forward(x))
