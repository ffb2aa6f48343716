"""The check of exercise 3.1: an image is robust only if it stands against every attack."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number


@marks
def check_worst_case(combine: Answer) -> None:
    """Exercise 3.1: the share of images that stand against every attack, and how many each attack broke alone."""
    # A row for each of three attacks. The first breaks most, the second least, and they break different images.
    correct = torch.ones(3, 9, dtype=torch.bool)
    correct[0, [1, 2, 3]] = correct[1, 4] = correct[2, [1, 5]] = False
    given = correct.clone()
    answer = ask("3.1", combine, given)
    if not torch.equal(given, correct):
        raise Mistake("you changed `correct` in place. Work on a copy.")
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two things, the share and the counts; you return {answer!r}.")
    share, alone = number(answer[0], "the share"), answer[1]
    expected = 4 / 9
    for value, sentence in (
        (6 / 9, "you return the accuracy under the strongest attack. Its survivors may fall to another one."),
        (8 / 9, "you return the accuracy under the weakest attack. The adversary chooses, not you."),
        (float(correct.float().mean()), "you average over the attacks. An image that falls to one of them has fallen."),
        (1.0, "you count the images that stand against *any* attack. They have to stand against all."),
        (6 / 9 * 8 / 9 * 7 / 9, "you multiply the accuracies, as if attacks failed independently. Look at each image."),
        (0.0, "no column of yours stands. Or do you look along the rows? correct.all(0) looks down each column."),
        (100 * expected, "return a share in [0, 1], not percent."),
        (4.0, "you return a number of images. Divide by how many there are."),
        (1 - expected, "you return the share of images that fall. Asked for is the share that stands."),
    ):
        if math.isclose(share, value, rel_tol=1e-5):
            raise Mistake(sentence)
    if not math.isclose(share, expected, rel_tol=1e-5):
        raise Mistake(f"of 9 images, 4 stand against all three attacks: 0.444. You return {share:.3f}.")
    _judge_alone(alone)
    right("3.1", "Two attacks that break 3 and 2 images break 4 together: the worst case is below each of them.")


def _judge_alone(alone: Any) -> None:
    counts = torch.as_tensor(alone) if isinstance(alone, list | tuple | Tensor) else None
    if counts is None or tuple(counts.shape) != (3,):
        raise Mistake(f"the counts must be one number for each attack, here 3; you return {alone!r}.")
    if counts.is_floating_point() and torch.allclose(counts.double(), torch.tensor([2, 1, 1]).double() / 9, atol=1e-6):
        raise Mistake("your counts are shares. Return numbers of images: do not divide.")
    for wrong, sentence in (
        ([3, 1, 1], "you count what each attack breaks beyond those before it. Count those that no other attack broke, "
         "whatever the order."),
        ([4, 4, 4], "you count the images that one attack, whichever, broke alone. Count them for each attack."),
        ([3, 1, 2], "you count all images that an attack broke. Count those that no other attack broke."),
        ([6, 8, 7], "you count the images that stand. Count those that this attack, and no other, broke."),
    ):  # fmt: skip
        if counts.tolist() == wrong:
            raise Mistake(sentence)
    if counts.tolist() != [2, 1, 1]:
        raise Mistake(
            f"here the attacks alone broke 2, 1 and 1 images; you return {counts.tolist()}. An image counts where "
            "exactly one attack broke it."
        )
