"""The check of exercise 9.2: the bound of Clopper and Pearson, from counted votes."""

from __future__ import annotations

import math
from typing import Any

from scipy.stats import beta, binomtest, norm
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number
from seminar_lib.smoothing.bounds import lower_bound, upper_bound

SURE = 0.001  # the alpha of a certificate


@marks
def check_bound(my_lower_bound: Answer) -> None:
    """Exercise 9.2: the smallest probability under which so many votes are not too rare."""
    for k, n, alpha in ((90, 100, 0.05), (620, 1000, SURE), (100, 100, SURE), (3, 10, 0.01)):
        _judge_bound(_number(ask("9.2", my_lower_bound, k, n, alpha)), k, n, alpha)
    _judge_none(ask("9.2", my_lower_bound, 0, 100, SURE))
    right("9.2", "100 votes of 100 prove 93.3 %, at 99.9 % confidence; 1000 of 1000 would prove 99.3 %.")


def _number(answer: Any) -> float:
    if isinstance(answer, tuple | list) and len(answer) == 2:
        raise Mistake("you return two ends. A radius needs the lower one alone, with all of alpha on its side.")
    return number(answer, "the bound")


def _judge_bound(answer: float, k: int, n: int, alpha: float) -> None:
    expected, p, z = float(lower_bound(k, n, alpha)), k / n, float(norm.ppf(1 - alpha))
    if _near(answer, expected):
        return
    for wrong, sentence in (
        (p, "you return the share of the votes. That is an estimate, too high for every other image: a certificate "
         "needs a bound, which is too high with probability alpha at most."),
        (lower_bound(k, n, alpha / 2), "you split alpha between two ends. Only a p that is lower than you say does "
         "harm, so the lower end gets all of alpha."),
        (upper_bound(k, n, alpha), "that is the upper bound, and it proves nothing."),
        (upper_bound(k, n, alpha / 2), "that is the upper end of a two-sided interval, and it proves nothing."),
        (beta.ppf(1 - alpha, k, n - k + 1), "you take the quantile 1 - alpha: then the bound is too high nearly "
         "always. alpha is the probability of an error, a small one."),
        (beta.ppf(alpha, k + 1, n - k) if k < n else 1.0, "your Beta distribution has the parameters k + 1 and n - k, "
         "those of the upper end. The lower end has k and n - k + 1."),
        (beta.ppf(alpha, k, n - k) if k < n else 1.0, "your second parameter is n - k. It is n - k + 1: with n votes "
         "of n, too, p may be below 1."),
        (beta.ppf(alpha, k + 1, n - k + 1), "your Beta distribution starts from a uniform prior: k + 1 and n - k + 1. "
         "Clopper and Pearson assume nothing of p: k and n - k + 1."),
        (p - z * math.sqrt(p * (1 - p) / n), "that is the share minus some standard errors. Where all votes agree it "
         "is 1, as if no vote against were possible."),
        (binomtest(k, n, alternative="greater").proportion_ci(1 - alpha, "wilson").low, "that is Wilson's interval. "
         "It is right on average over p; a certificate must hold for every p."),
        (p - math.sqrt(-math.log(alpha) / (2 * n)), "that is Hoeffding's bound. It holds, but gives away most of the "
         "radius where nearly all votes agree: take the exact one."),
        (lower_bound(k, n, alpha / 100), "you divide alpha by 100. It is a share already: 0.001 is one of a thousand."),
    ):  # fmt: skip
        if _near(answer, float(wrong)):
            raise Mistake(sentence)
    if _near(answer / 100, expected):
        raise Mistake("return a share in [0, 1], not percent.")
    raise Mistake(f"for {k} votes of {n} and alpha = {alpha} the bound is {expected:.4f}; you return {answer:.4f}.")


def _judge_none(answer: Any) -> None:
    """With no votes the formula by Beta has no value."""
    if isinstance(answer, float | Tensor) and math.isnan(answer):
        raise Mistake("for 0 votes you return NaN: there is no distribution Beta(0, ...). 0 votes prove 0.0.")
    if abs(_number(answer)) > 1e-4:
        raise Mistake(f"0 votes prove nothing, so the bound is 0.0; you return {answer!r}.")


def _near(answer: float, value: float) -> bool:
    return math.isclose(answer, value, abs_tol=1e-4)
