"""How fast an image turns into noise.

Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, sections 2 and 4. In each of T = 1000
steps an image loses a little of itself and gains a little Gaussian noise, beta_t of its variance:

    q(x_t | x_{t-1}) = N( sqrt(1 - beta_t) x_{t-1},  beta_t I )
    q(x_t | x_0)     = N( sqrt(abar_t) x_0,  (1 - abar_t) I ),      abar_t = (1 - beta_1) ... (1 - beta_t)

x_0 is an image in [-1, 1], x_T all but pure noise: abar_T = 0.00004. As in the paper t runs from 1 to T, and t = 0 is
the image itself; peers that count from 0 call our step t by the name t - 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

T = 1000
BETA = torch.cat([torch.zeros(1), torch.linspace(1e-4, 0.02, T, dtype=torch.float64)])  # (T + 1,), by t
ALPHA_BAR = (1 - BETA).cumprod(0)  # 1 at t = 0


def at(t: int | Tensor, values: Tensor, x: Tensor) -> Tensor:
    """The values of a schedule at ``t``, one step for all images or (B,) of them, to be multiplied with ``x``."""
    return values.to(x.device)[t].to(x.dtype).view(-1, 1, 1, 1)
