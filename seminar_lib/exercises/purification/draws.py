"""The check of exercise 10.3: what a table of draws says, judged in three ways."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number

# A row for each of ten images, a column for each of four draws: 1 where the answer was right.
TABLE = (
    (1, 1, 1, 1),
    (1, 1, 1, 1),
    (1, 1, 1, 1),
    (1, 0, 1, 1),
    (0, 1, 1, 1),
    (1, 1, 0, 0),
    (1, 0, 0, 1),
    (1, 0, 1, 0),
    (1, 0, 0, 0),
    (0, 0, 0, 0),
)
NAMES = ("one draw", "majority", "worst")


@marks
def check_draws(judged: Answer) -> None:
    """Exercise 10.3: the accuracy by one draw, by the majority of the draws and by the worst of them."""
    table = torch.tensor(TABLE, dtype=torch.bool)
    for right_answers in (table, table[:, :3]):
        given = right_answers.clone()
        answer = ask("10.3", judged, given)
        if not torch.equal(given, right_answers):
            raise Mistake("you changed the table in place. Work on a copy.")
        _judge(_three(answer), right_answers)
    right(
        "10.3",
        "The same answers are 80 %, 50 % or 30 %: whoever reports one of them has to say which, and of how many.",
    )


def _three(answer: Any) -> list[float]:
    if isinstance(answer, Tensor):
        answer = answer.tolist()
    if not (isinstance(answer, tuple | list) and len(answer) == len(NAMES)):
        raise Mistake(f"return three shares: by one draw, by the majority, by the worst; you return {answer!r}.")
    if any((isinstance(part, Tensor) and part.numel() > 1) or isinstance(part, list) for part in answer):
        raise Mistake("you return a value for each image. Return its mean over the images, one share for each way.")
    return [number(part, f"the share by {name}") for part, name in zip(answer, NAMES, strict=True)]


def _judge(found: list[float], table: Tensor) -> None:
    images, draws = table.shape
    votes = table.sum(1)
    expected = [_share(table[:, 0]), _share(2 * votes > draws), _share(table.all(1))]
    if _near(found, expected):
        return
    for wrong, sentence in (
        ([100 * share for share in expected], "return shares in [0, 1], not percent."),
        ([images * share for share in expected], "you count images. Divide by their number."),
        (expected[::-1], "your order is turned: one draw, majority, worst."),
        ([_share(table[0]), _share(2 * table.sum(0) > images), _share(table.all(0))], "you go along the wrong axis: a "
         "row is an image, a column is a draw."),
    ):  # fmt: skip
        if _near(found, wrong):
            raise Mistake(sentence)
    for name, share, wanted in zip(NAMES, found, expected, strict=True):
        if not math.isclose(share, wanted, abs_tol=1e-4):
            _say_why(name, share, wanted, table)


def _say_why(name: str, found: float, wanted: float, table: Tensor) -> NoReturn:
    images, draws = table.shape
    best, mean = _share(table.any(1)), _share(table)
    wrongs = {
        "one draw": (
            (mean, "you average over all draws. That is what one draw gives on average, and worth a report; here take "
             "the first draw alone, as somebody does who draws once."),
            (_share(table[:, -1]), "you take the last draw. Take the first."),
            (best, "right in *any* draw is not one draw: nobody knows which draw will be right."),
        ),
        "majority": (
            (_share(2 * table.sum(1) >= draws), "you count a tie as right. More than half of the draws must be."),
            (mean, "you average over all draws. A majority says yes or no for each image first."),
            (best, "right in *any* draw is no majority."),
        ),
        "worst": (
            (best, "right in *any* draw is the *best* of N. The adversary tries until one draw is wrong: all must "
             "be right."),
            (1 - best, "you count the images of which no draw is right."),
            (1 - _share(table.all(1)), "you count the images that fall. Count those that stand."),
            (float(table.float().mean(0).min()), "you take the worst *column*. The adversary chooses the draw for each "
             "image anew."),
        ),
    }  # fmt: skip
    for wrong, sentence in wrongs[name]:
        if math.isclose(found, wrong, abs_tol=1e-4):
            raise Mistake(f"{name}: {sentence}")
    raise Mistake(f"{name}: of {images} images with {draws} draws it is {wanted:.2f}; you return {found:.2f}.")


def _share(flags: Tensor) -> float:
    return float(flags.float().mean())


def _near(found: list[float], wanted: list[float]) -> bool:
    return all(math.isclose(one, other, abs_tol=1e-4) for one, other in zip(found, wanted, strict=True))
