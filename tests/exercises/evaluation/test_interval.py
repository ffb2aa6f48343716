"""Exercise 3.2 accepts every right interval and says what is wrong with each typical wrong one."""

import math

import torch
from scipy.stats import binomtest

from seminar_lib.exercises import evaluation

from ..conftest import praises, refuses


def wilson(k, n, z=1.96, root=math.sqrt, extra=1.0, middle=1.0, factor=1.0, divide=True):
    """Wilson's interval, with one part exchanged at a time."""
    p = k / n
    centre = p + middle * z**2 / (2 * n)
    half = factor * z * root(p * (1 - p) / n + extra * z**2 / (4 * n**2))
    scale = 1 + z**2 / n if divide else 1
    return (centre - half) / scale, (centre + half) / scale


def by_scipy(k, n):
    interval = binomtest(k, n).proportion_ci(method="wilson")
    return [interval.low, interval.high]


def by_tensors(k, n):
    low, high = wilson(k, n)
    return torch.tensor(low), torch.tensor(high)


def precedence(two, four):
    """Wilson's interval where `/ two * n` and `/ four * n**2` were meant to divide by a product; 1 is right."""

    def wrong_wilson(k, n, z=1.96):
        p = k / n
        centre = p + (z**2 / 2 * n if two == 2 else z**2 / (2 * n))
        half = z * math.sqrt(p * (1 - p) / n + (z**2 / 4 * n**2 if four == 4 else z**2 / (4 * n**2)))
        return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)

    return wrong_wilson


def shrunk(k, n, of_middle, of_half):
    """Wilson's interval where the middle and the half width are divided by different numbers."""
    low, high = wilson(k, n, divide=False)
    middle, half = (low + high) / 2 / (1 + of_middle), (high - low) / 2 / (1 + of_half)
    return middle - half, middle + half


def wald(k, n):
    p, half = k / n, 1.96 * math.sqrt(k / n * (1 - k / n) / n)
    return p - half, p + half


test_every_right_interval_is_praised = praises(evaluation.check_interval, wilson, by_scipy, by_tensors)

test_a_wrong_interval_gets_its_sentence = refuses(
    evaluation.check_interval,
    (lambda k, n: k / n, "return two numbers"),
    (lambda k, n: (None, 1.0), "must be a number"),
    (lambda k, n: wilson(k, n)[::-1], "wrong order"),
    (wald, "standard errors"),
    (lambda k, n: wilson(k, n, divide=False), "forgot to divide"),
    (lambda k, n: wilson(k, n, factor=1 / 1.96), "lacks the factor z"),
    (lambda k, n: wilson(k, n, middle=0.0), "your middle lacks"),
    (lambda k, n: wilson(k, n, root=lambda v: 1.96 * v), "lacks the square root"),
    (lambda k, n: wilson(k, n, extra=0.0), "under your root"),
    (lambda k, n: tuple(100 * end for end in wilson(k, n)), "not percent"),
    (lambda k, n: wilson(k, n, z=2), "your z is 2"),
    (precedence(2, 1), "Write z**2 / (2 * n)."),
    (precedence(1, 4), "Write z**2 / (4 * n**2)."),
    (precedence(2, 4), "and z**2 / (4 * n**2) under the root"),
    (lambda k, n: shrunk(k, n, 1.96**2 / n, 0), "half width lacks the division"),
    (lambda k, n: shrunk(k, n, 0, 1.96**2 / n), "middle lacks the division"),
    (lambda k, n: wilson(k, n, root=lambda v: math.sqrt(v + k / n * (1 - k / n) * (1 - 1 / n))), "lacks its division"),
    (lambda k, n: wilson(k, n, z=2.58), "Wilson's is"),
    (lambda k, n, z=1.96: wilson(k, n), "does not follow z"),
)
