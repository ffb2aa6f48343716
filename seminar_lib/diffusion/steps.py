"""The steps of a diffusion, there and back.

There in one step, to any t; back step by step, or in jumps. With the network's guess at x_0 in the place of x_0:

    x_t     = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps                                       Ho et al., 2020, eq. 4
    x_0     ~ (x_t - sqrt(1 - abar_t) eps(x_t, t)) / sqrt(abar_t)                           eq. 15
    x_{t-1} = sqrt(abar_{t-1}) beta_t / (1 - abar_t) x_0                                    eq. 7
            + sqrt(1 - beta_t) (1 - abar_{t-1}) / (1 - abar_t) x_t
            + sqrt((1 - abar_{t-1}) / (1 - abar_t) beta_t) noise
    x_s     = sqrt(abar_s) x_0 + sqrt(1 - abar_s) eps                                       Song et al., 2021, eq. 12

The last is DDIM (Song, Meng and Ermon, "Denoising Diffusion Implicit Models", ICLR 2021) with eta = 0: no noise is
added, and s may be far below t. All images here are in [-1, 1] at t = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from seminar_lib.diffusion.schedule import ALPHA_BAR, BETA, at
from seminar_lib.types import Images

NoiseModel: TypeAlias = Callable[[Tensor, Tensor], Tensor]  # x_t and t (B,) to the noise in x_t


def noised(x0: Images, t: int | Tensor, noise: Images) -> Images:
    """x_t of clean images, for one ``t`` or (B,) of them."""
    kept = at(t, ALPHA_BAR, x0)
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def guess(network: NoiseModel, xt: Images, t: int) -> Images:
    """The image that the network sees in x_t, clipped to [-1, 1] as in the authors' code."""
    kept = at(t, ALPHA_BAR, xt)
    noise = network(xt, torch.full((len(xt),), t, device=xt.device))
    return ((xt - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)


def ancestral_step(xt: Images, t: int, x0: Images, noise: Images) -> Images:
    """x_{t-1} of x_t and a guess at x_0: one step back along the chain. At t = 1 it is the guess."""
    kept, before, beta = at(t, ALPHA_BAR, xt), at(t - 1, ALPHA_BAR, xt), at(t, BETA, xt)
    mean = (before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - kept)
    return mean + ((1 - before) / (1 - kept) * beta).sqrt() * noise


def ddim_step(xt: Images, t: int, s: int, x0: Images) -> Images:
    """x_s of x_t and a guess at x_0, s < t: the guess with the noise that it leaves of x_t, scaled down."""
    noise = (xt - at(t, ALPHA_BAR, xt).sqrt() * x0) / (1 - at(t, ALPHA_BAR, xt)).sqrt()
    return noised(x0, s, noise)
