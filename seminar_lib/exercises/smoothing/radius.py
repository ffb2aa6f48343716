"""The check of exercise 9.1: how far an answer stays, from its probability."""

from __future__ import annotations

import math

from scipy.special import erfinv, logit, ndtr, ndtri

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number


@marks
def check_radius(my_radius: Answer) -> None:
    """Exercise 9.1: sigma times the quantile of the normal distribution, and 0 up to a half."""
    for p, sigma in ((0.9, 0.25), (0.6, 0.5), (0.999, 0.12)):
        _judge_radius(_asked(my_radius, p, sigma), p, sigma)
    for p in (0.5, 0.3):
        _judge_nothing(_asked(my_radius, p, 0.25), p)
    right("9.1", "An answer to 90 % of the noise of 0.25 stays up to 0.32; one to half of it is certain of nothing.")


def _asked(my_radius: Answer, p: float, sigma: float) -> float:
    answer = ask("9.1", my_radius, p, sigma)
    if answer is None:
        raise Mistake(f"for p = {p} you return nothing. Return a radius; 0.0 where nothing is certain.")
    return number(answer, "the radius")


def _judge_radius(answer: float, p: float, sigma: float) -> None:
    z = float(ndtri(p))
    if _near(answer, sigma * z):
        return
    for wrong, sentence in (
        (sigma**2 * z, "you multiply by sigma**2, the variance. sigma is the deviation, as in N(0, sigma^2)."),
        (math.sqrt(sigma) * z, "you take the root of sigma, as if it were the variance. It is the deviation already."),
        (z, "sigma is missing: twice the noise, twice the radius."),
        (z / sigma, "you divide by sigma. Seen in units of sigma the distance is z, so in pixels it is sigma * z."),
        (sigma * float(ndtr(p)), "you use Phi itself. You have the probability and look for the place: norm.ppf."),
        (-sigma * z, "your radius is negative: you took the quantile of 1 - p."),
        (sigma * z / 2, "you halve it. sigma / 2 stands before the *difference* of two quantiles, of the answer and of "
         "its rival; with p_B = 1 - p they are z and -z."),
        (sigma * float(erfinv(2 * p - 1)), "erfinv counts in units of sqrt(2) sigma: multiply by sqrt(2)."),
        (sigma * float(logit(p)), "that is the quantile of the logistic distribution; the noise is normal."),
        (sigma * (p - 0.5), "that is how far p is above one half, times sigma. Which distance belongs to it?"),
        (255 * sigma * z, "your radius is in grey levels. sigma is in pixels of [0, 1], and so is the radius."),
    ):  # fmt: skip
        if _near(answer, wrong):
            raise Mistake(sentence)
    raise Mistake(f"for p = {p} and sigma = {sigma} the radius is {sigma * z:.4f}; you return {answer:.4f}.")


def _judge_nothing(answer: float, p: float) -> None:
    if answer == 0:
        return
    if answer < 0:
        raise Mistake(f"for p = {p} your radius is negative. Up to a half nothing is certain: return 0.0.")
    raise Mistake(
        f"for p = {p} you certify a radius of {answer:.3f}. Another answer may be as frequent there, at the image "
        "itself: return 0.0."
    )


def _near(answer: float, value: float) -> bool:
    return math.isclose(answer, value, rel_tol=1e-3)
