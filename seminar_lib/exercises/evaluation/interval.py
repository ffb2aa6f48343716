"""The check of exercise 3.2: Wilson's interval."""

from __future__ import annotations

import math
from inspect import signature
from typing import Any

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number

Z, OTHER_Z = 1.96, 2.576  # standard deviations of a 95 % interval, and of one of 99 %


@marks
def check_interval(wilson: Answer) -> None:
    """Exercise 3.2: Wilson's interval of k right answers out of n."""
    for k, n in ((44, 100), (0, 100), (5, 5), (620, 1000)):
        low, high = _ends(ask("3.2", wilson, k, n))
        _judge_interval(low, high, k, n)
    if "z" in signature(wilson).parameters:  # scipy, for one, asks for the 95 % instead
        low, high = _ends(ask("3.2", wilson, 44, 100, OTHER_Z))
        if not _is_near((low, high), *_wilson(44, 100, OTHER_Z)):
            raise Mistake(
                f"your interval does not follow z: it is right for z = {Z}, but not for z = {OTHER_Z}, which stands "
                "for 99 %. Does a fixed number stand in the place of z?"
            )
    right("3.2", "Of 100 images 44 right answers mean 34.7 % to 53.8 %; 0 right answers still allow 3.7 %.")


def _ends(answer: Any) -> tuple[float, float]:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two numbers, the lower and the upper end; you return {answer!r}.")
    low, high = (number(end, "each end") for end in answer)
    return low, high


def _wilson(k: int, n: int, z: float) -> tuple[float, float]:
    """The middle of Wilson's interval and half of its width."""
    p, shrink = k / n, 1 + z**2 / n
    return (p + z**2 / (2 * n)) / shrink, z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / shrink


def _is_near(ends: tuple[float, float], middle: float, half: float) -> bool:
    return all(
        math.isclose(end, right_end, abs_tol=2e-4)
        for end, right_end in zip(ends, (middle - half, middle + half), strict=True)
    )


def _judge_interval(low: float, high: float, k: int, n: int) -> None:
    def is_near(middle: float, half: float) -> bool:
        return _is_near((low, high), middle, half)

    p, shrink = k / n, 1 + Z**2 / n
    middle, spread = p + Z**2 / (2 * n), math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    # What Python makes of z**2 / 2 * n and of z**2 / 4 * n**2.
    slipped, slipped_spread = (p + Z**2 / 2 * n) / shrink, math.sqrt(p * (1 - p) / n + Z**2 / 4 * n**2)
    if is_near(*_wilson(k, n, Z)):
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
        (slipped, Z * spread / shrink, "z**2 / 2 * n is half of z**2 times n. Write z**2 / (2 * n)."),
        (middle / shrink, Z * slipped_spread / shrink, "z**2 / 4 * n**2 is a quarter of z**2 times n**2. Write z**2 / "
         "(4 * n**2)."),
        (slipped, Z * slipped_spread / shrink, "z**2 / 2 * n is half of z**2 times n. Write z**2 / (2 * n), and z**2 / "
         "(4 * n**2) under the root."),
        (middle / shrink, Z * math.sqrt(p * (1 - p) + Z**2 / (4 * n**2)) / shrink, "under your root p (1 - p) lacks "
         "its division by n."),
        (middle / shrink, Z * spread, "your half width lacks the division by 1 + z**2 / n."),
        (middle, Z * spread / shrink, "your middle lacks the division by 1 + z**2 / n."),
        (*_wilson(k, n, 2), "your z is 2. For 95 % it is 1.96."),
        (100 * middle / shrink, 100 * Z * spread / shrink, "return shares in [0, 1], not percent."),
    ):  # fmt: skip
        if is_near(wrong_middle, wrong_half):
            raise Mistake(sentence)
    raise Mistake(
        f"for {k} of {n} your interval is [{low:.4f}, {high:.4f}]; Wilson's is "
        f"[{(middle - Z * spread) / shrink:.4f}, {(middle + Z * spread) / shrink:.4f}]."
    )
