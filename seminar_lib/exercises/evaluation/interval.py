"""The check of exercise 3.2: Wilson's interval."""

from __future__ import annotations

import math

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number

Z = 1.96  # standard deviations of a 95 % interval


@marks
def check_interval(wilson: Answer) -> None:
    """Exercise 3.2: Wilson's interval of k right answers out of n."""
    for k, n in ((44, 100), (0, 100), (5, 5), (620, 1000)):
        answer = ask("3.2", wilson, k, n)
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            raise Mistake(f"return two numbers, the lower and the upper end; you return {answer!r}.")
        low, high = (number(end, "each end") for end in answer)
        _judge_interval(low, high, k, n)
    right("3.2", "Of 100 images 44 right answers mean 34.7 % to 53.8 %; 0 right answers still allow 3.7 %.")


def _judge_interval(low: float, high: float, k: int, n: int) -> None:
    def is_near(middle: float, half: float) -> bool:
        return math.isclose(low, middle - half, abs_tol=2e-4) and math.isclose(high, middle + half, abs_tol=2e-4)

    p, shrink = k / n, 1 + Z**2 / n
    middle, spread = p + Z**2 / (2 * n), math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    if is_near(middle / shrink, Z * spread / shrink):
        return
    if is_near(middle / shrink, -Z * spread / shrink):
        raise Mistake("your ends are in the wrong order: first the lower, then the upper.")
    for wrong_middle, wrong_half, sentence in (
        (p, Z * math.sqrt(p * (1 - p) / n), "that is the interval p plus or minus 1.96 standard errors. It has no "
         "width at 0 of 100, as if no image could ever be right. Wilson's formula has z**2 in it."),
        (middle, Z * spread, "you forgot to divide by 1 + z**2 / n."),
        (middle / shrink, spread / shrink, "your half width lacks the factor z."),
        (p / shrink, Z * spread / shrink, "your middle lacks z**2 / (2 n)."),
        (middle / shrink, Z**2 * spread**2 / shrink, "your half width lacks the square root."),
        (middle / shrink, Z * math.sqrt(p * (1 - p) / n) / shrink, "under your root z**2 / (4 n**2) is missing."),
        (100 * middle / shrink, 100 * Z * spread / shrink, "return shares in [0, 1], not percent."),
    ):  # fmt: skip
        if is_near(wrong_middle, wrong_half):
            raise Mistake(sentence)
    raise Mistake(
        f"for {k} of {n} your interval is [{low:.4f}, {high:.4f}]; Wilson's is "
        f"[{(middle - Z * spread) / shrink:.4f}, {(middle + Z * spread) / shrink:.4f}]."
    )
