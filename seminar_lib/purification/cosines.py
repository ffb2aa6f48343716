"""The cosine transform of 8x8 blocks, in which JPEG tells what the eye sees from what it does not.

Ahmed, Natarajan & Rao, "Discrete Cosine Transform", IEEE Transactions on Computers 1974; ITU-T T.81, 1992, section
A.3.3. With a row c_f for each frequency f, scaled to length 1, a block b has the coefficients

    C b C^T,    c_f(i) ~ cos(pi f (2 i + 1) / 16)

C is orthonormal: its transpose is the way back, and an image moves as far as its coefficients do.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from seminar_lib.types import Images

BLOCK = 8  # the side of a block in pixels

Blocks: TypeAlias = Float[Tensor, "B C rows columns 8 8"]


def transform(x: Images) -> Blocks:
    """The coefficients of each block, the mean's at [..., 0, 0]; the sides of the images are multiples of 8."""
    B, C, H, W = x.shape
    blocks = x.reshape(B, C, H // BLOCK, BLOCK, W // BLOCK, BLOCK).transpose(3, 4)
    with torch.autocast(x.device.type, enabled=False):  # in bfloat16 coefficients would be off by a step
        cosines = _cosines(x)
        return cosines @ blocks @ cosines.T


def inverse(coefficients: Blocks) -> Images:
    """The images of these coefficients."""
    B, C, rows, columns = coefficients.shape[:4]
    with torch.autocast(coefficients.device.type, enabled=False):
        cosines = _cosines(coefficients)
        blocks = cosines.T @ coefficients @ cosines
    return blocks.transpose(3, 4).reshape(B, C, rows * BLOCK, columns * BLOCK)


def _cosines(like: Tensor) -> Tensor:
    frequency, place = torch.arange(BLOCK)[:, None], torch.arange(BLOCK)
    return F.normalize(torch.cos(math.pi * frequency * (2 * place + 1) / (2 * BLOCK)), dim=1).to(like)
