"""Exercise 9.2 accepts every right bound, by whatever way, and says what is wrong with each typical wrong one."""

import math

import torch
from scipy.optimize import brentq
from scipy.stats import beta, binom, binomtest, norm

from seminar_lib.exercises import smoothing
from seminar_lib.smoothing.bounds import lower_bound, upper_bound

from ..conftest import praises, refuses


def by_beta(first=0, second=1, quantile=lambda alpha: alpha):
    """The quantile of a Beta distribution; the defaults make it right."""
    return lambda k, n, alpha: beta.ppf(quantile(alpha), k + first, n - k + second) if k else 0.0


def by_search(k, n, alpha):
    """The p under which k votes or more have probability alpha."""
    return brentq(lambda p: binom.sf(k - 1, n, p) - alpha, 0, 1) if k else 0.0


def by_bisection(k, n, alpha):
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        p = (low + high) / 2
        tail = sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
        low, high = (p, high) if tail < alpha else (low, p)
    return low


def interval(method, sides, confidence=lambda alpha: 1 - alpha, end="low"):
    def bound(k, n, alpha):
        return getattr(binomtest(k, n, alternative=sides).proportion_ci(confidence(alpha), method), end)

    return bound


def wald(k, n, alpha):
    p = k / n
    return p - norm.ppf(1 - alpha) * math.sqrt(p * (1 - p) / n)


test_every_right_bound_is_praised = praises(
    smoothing.check_bound,
    by_beta(),
    by_search,
    by_bisection,
    interval("exact", "greater"),
    lambda k, n, alpha: torch.tensor(by_beta()(k, n, alpha)),
    lambda k, n, alpha: float(lower_bound(k, n, alpha)),
)

test_a_wrong_bound_gets_its_sentence = refuses(
    smoothing.check_bound,
    (lambda k, n, alpha: None, "the bound must be a number"),
    (lambda k, n, alpha: (by_beta()(k, n, alpha), 1.0), "the lower one alone"),
    (lambda k, n, alpha: k / n, "the share of the votes"),
    (by_beta(quantile=lambda alpha: alpha / 2), "between two ends"),
    (interval("exact", "two-sided"), "between two ends"),
    (lambda k, n, alpha: float(upper_bound(k, n, alpha)), "that is the upper bound"),
    (interval("exact", "two-sided", end="high"), "the upper end"),
    (by_beta(quantile=lambda alpha: 1 - alpha), "a small one"),
    (interval("exact", "greater", lambda alpha: alpha), "a small one"),
    (by_beta(first=1, second=0), "those of the upper end"),
    (by_beta(second=0), "with n votes of n"),
    (by_beta(first=1), "a uniform prior"),
    (wald, "standard errors"),
    (interval("wilson", "greater"), "Wilson's interval"),
    (lambda k, n, alpha: k / n - math.sqrt(-math.log(alpha) / (2 * n)), "Hoeffding's bound"),
    (by_beta(quantile=lambda alpha: alpha / 100), "one of a thousand"),
    (lambda k, n, alpha: 100 * by_beta()(k, n, alpha), "not percent"),
    (lambda k, n, alpha: by_beta()(k, n, alpha) - 0.01, "the bound is 0.8363"),
    (lambda k, n, alpha: beta.ppf(alpha, k, n - k + 1), "there is no distribution Beta(0, ...)"),
    (lambda k, n, alpha: by_beta()(k, n, alpha) if k else 1 / n, "0 votes prove nothing"),
)
