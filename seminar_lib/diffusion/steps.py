"""The steps of a diffusion, there and back.

Forward, to any t at once, and back by one step or in jumps:

    x_t     = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps                                       Ho et al., 2020, eq. 4
    x_0     ~ (x_t - sqrt(1 - abar_t) eps(x_t, t)) / sqrt(abar_t)                           the network's guess
    x_{t-1} = sqrt(abar_{t-1}) beta_t / (1 - abar_t) x_0                                    eq. 7, with the guess
            + sqrt(1 - beta_t) (1 - abar_{t-1}) / (1 - abar_t) x_t  +  sigma_t noise
    x_s     = sqrt(abar_s) x_0 + sqrt(1 - abar_s) eps                                       Song et al., 2021, eq. 12

The last is DDIM (Song, Meng and Ermon, "Denoising Diffusion Implicit Models", ICLR 2021) with eta = 0: no noise is
added, so s may be far below t. All images here are in [-1, 1] at t = 0.
"""

from __future__ import annotations

from torch import Tensor

from seminar_lib.diffusion.schedule import ALPHA_BAR, at
from seminar_lib.types import Images


def noised(x0: Images, t: int | Tensor, noise: Images) -> Images:
    """x_t of clean images, for one ``t`` or (B,) of them."""
    kept = at(t, ALPHA_BAR, x0)
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise
