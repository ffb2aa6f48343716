"""The way back from x_t to an image: step by step, or in a few jumps."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Generator
from torch.utils.checkpoint import checkpoint

from seminar_lib.diffusion.schedule import T
from seminar_lib.diffusion.steps import NoiseModel, ancestral_step, ddim_step, guess
from seminar_lib.freeze import frozen
from seminar_lib.models import NoisePredictor
from seminar_lib.types import Images


def reverse(
    network: NoiseModel,
    xt: Images,
    t: int,
    steps: int | None = None,
    generator: Generator | None = None,
    recompute: bool = False,
) -> Images:
    """An image in [-1, 1] that x_t may have come from, differentiable in ``xt``.

    Args:
        network: what finds the noise.
        xt: (B, C, H, W).
        t: where ``xt`` is, 1 to T.
        steps: jumps of DDIM, without chance, 1 to ``t``; None takes all ``t`` ancestral steps, each with fresh noise.
        generator: of that noise; the global stream when omitted.
        recompute: keep nothing of a step but its beginning and compute it again in the backward pass: the memory of one
            step in the place of all, for a third more time.

    Raises:
        ValueError: ``t`` or ``steps`` is out of range.
    """
    check_way(t, steps)
    for now, then in pairwise(_stops(t, steps)):
        # Drawn out here, so that a step which is computed again is computed with the same noise.
        noise = torch.empty_like(xt).normal_(generator=generator) if steps is None else None

        def back(xt: Images, now: int = now, then: int = then, noise: Images | None = noise) -> Images:
            x0 = guess(network, xt, now)
            return ddim_step(xt, now, then, x0) if noise is None else ancestral_step(xt, now, x0, noise)

        xt = checkpoint(back, xt, use_reentrant=False) if recompute else back(xt)
    return xt


def sample(
    network: NoisePredictor,
    n: int,
    size: int = 32,
    steps: int | None = None,
    generator: Generator | None = None,
) -> Images:
    """Images in [0, 1] that the network makes of nothing but noise (Ho et al., 2020, algorithm 2).

    Args:
        network: a trained one, such as ``load("signs/ddpm")`` returns.
        n: how many images.
        size: their height and width.
        steps: as ``reverse`` takes them, of T = 1000; about 50 jumps do for a look.
        generator: of all noise, on the device of the network; the global stream when omitted.

    Raises:
        ValueError: ``n`` or ``steps`` is out of range, or the network takes no images of this size.
    """
    if n < 1:
        raise ValueError(f"sample draws at least one image; got n={n}.")
    device = next(network.parameters()).device
    with torch.no_grad(), frozen(network):
        noise = torch.empty(n, network.channels, size, size, device=device).normal_(generator=generator)
        return (reverse(network, noise, T, steps, generator).clamp(-1, 1) + 1) / 2


def check_way(t: int, steps: int | None) -> None:
    """Refuse a way back that does not exist.

    Raises:
        ValueError: ``t`` is not in 1 to T, or ``steps`` not in 1 to ``t``.
    """
    if not 1 <= t <= T:
        raise ValueError(f"t counts the steps that an image goes towards noise, 1 to {T}; got {t}. DiffPure takes 100.")
    if steps is not None and not 1 <= steps <= t:
        raise ValueError(
            f"steps are the jumps from t={t} back to 0, 1 to {t}; got {steps}. None takes every step, with fresh noise."
        )


def _stops(t: int, steps: int | None) -> list[int]:
    """From ``t`` down to 0, as evenly as whole numbers allow."""
    jumps = steps or t
    return [round(t * left / jumps) for left in range(jumps, -1, -1)]
