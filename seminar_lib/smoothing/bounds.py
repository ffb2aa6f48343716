"""From votes to a radius: what n noisy looks at an image prove about all that are possible.

Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019. Let p be the
probability that a network answers A when Gaussian noise of deviation sigma is added to an image. Where p > 1/2, no
image nearer than

    radius = sigma * Phi^-1(p)                                                     (theorem 1, with p_B <= 1 - p_A)

has another most probable answer. Nobody knows p. But k of n looks answered A, and Clopper and Pearson ("The Use of
Confidence or Fiducial Limits", Biometrika 1934) bound it from below:

    P[Bin(n, p_lower) >= k] = alpha        so that p < p_lower happens with probability alpha at most

Any smaller p would have made so many votes even less likely. As a formula, p_lower is the alpha quantile of the
distribution Beta(k, n - k + 1).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtr, ndtri

Floats = NDArray[np.float64]


def lower_bound(hits: ArrayLike, n: int, alpha: float) -> Floats:
    """What a probability is at least after ``hits`` in ``n`` draws; too high with probability ``alpha`` at most."""
    k = np.asarray(hits)
    return np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1.0, alpha), 0.0)


def upper_bound(hits: ArrayLike, n: int, alpha: float) -> Floats:
    """What it is at most; too low with probability ``alpha`` at most. Hits of one answer are misses of the others."""
    return np.asarray(1 - lower_bound(n - np.asarray(hits), n, alpha))


def radius(p_lower: ArrayLike, sigma: float) -> Floats:
    """The L2 radius, in pixels of [0, 1], within which an answer of at least this probability stays; 0 up to 1/2."""
    return np.asarray(sigma * ndtri(np.maximum(p_lower, 0.5)))


def probability(radius: float, sigma: float) -> float:
    """The probability that an answer needs for this radius: the inverse of ``radius``."""
    return float(ndtr(radius / sigma))


def largest_radius(n: int, alpha: float, sigma: float) -> float:
    """What ``n`` votes can certify at most, when they all agree: p_lower is then alpha^(1/n)."""
    return float(radius(lower_bound(n, n, alpha), sigma))


def fewest_samples(alpha: float, radius: float = 0.0, sigma: float = 1.0) -> int:
    """The smallest ``n`` whose votes can certify more than ``radius``; with the default, anything at all.

    Raises:
        ValueError: the radius is so many sigma that no number will do.
    """
    p = probability(radius, sigma)
    if p == 1:
        raise ValueError(
            f"A radius of {radius / sigma:.3g} sigma is out of reach of any number of samples: take more noise."
        )
    n = max(1, math.floor(math.log(alpha) / math.log(p)))
    while largest_radius(n, alpha, sigma) <= radius:  # once at most, but for rounding
        n += 1
    return n
