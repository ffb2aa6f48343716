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
SIGMA = ((1 - ALPHA_BAR) / ALPHA_BAR).sqrt() / 2  # the noise beside a whole image, in pixels of [0, 1]


def at(t: int | Tensor, values: Tensor, x: Tensor) -> Tensor:
    """The values of a schedule at ``t``, one step for all images or (B,) of them, to be multiplied with ``x``."""
    return values.to(x.device)[t].to(x.dtype).view(-1, 1, 1, 1)


def step_for(sigma: float) -> int:
    """The step, 1 to T, whose noise comes nearest to ``sigma``, a standard deviation in pixels of [0, 1].

    x + sigma noise in [0, 1] is 2x - 1 + 2 sigma noise in [-1, 1], and sqrt(abar_t) times that is an x_t if
    4 sigma^2 = (1 - abar_t) / abar_t (Carlini et al., "(Certified!!) Adversarial Robustness for Free!", ICLR 2023,
    section 3.1).

    Raises:
        ValueError: no step has nearly so little noise, or so much.
    """
    least, most = float(SIGMA[1]), float(SIGMA[T])
    if not least / 2 <= sigma <= most:
        raise ValueError(
            f"sigma is the noise's standard deviation in pixels of [0, 1], and this diffusion knows {least:.3f} to "
            f"{most:.0f}; got {sigma}."
        )
    return 1 + int((SIGMA[1:] - sigma).abs().argmin())
