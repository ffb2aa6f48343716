"""The check of exercise 11.2: the area under the ROC curve, as a share of pairs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seminar_lib.evaluation.auroc import AUROC
from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number

# Clean and attacked scores. In the first case some are equal; in the second attacked images look the more innocent.
CASES = (
    ((0.0, 1.0, 1.0, 2.0, 3.0, 5.0), (1.0, 2.0, 2.0, 4.0, 6.0, 3.0)),
    ((2.0, 4.0, 5.0, 7.0, 9.0), (0.0, 1.0, 3.0, 4.0, 4.0, 5.0, 6.0, 0.5)),
)


@marks
def check_auroc(area: Answer) -> None:
    """Exercise 11.2: how often an attacked image has the higher score of the two."""
    for case in CASES:
        clean, attacked = map(torch.tensor, case)
        given = clean.clone(), attacked.clone()
        found = number(ask("11.2", area, *given), "an AUROC")
        if not (torch.equal(given[0], clean) and torch.equal(given[1], attacked)):
            raise Mistake("you changed the scores in place. Work on copies.")
        _judge(found, clean, attacked)
    right("11.2", "No threshold was needed for it. That is its strength, and why it says nothing about any threshold.")


def _judge(found: float, clean: Tensor, attacked: Tensor) -> None:
    expected = AUROC.of(clean, attacked).auroc
    if _near(found, expected):
        return
    higher, equal = attacked[:, None] > clean, attacked[:, None] == clean
    strictly, ties = float(higher.float().mean()), float(equal.float().mean())
    pairs = higher.numel()
    wrongs = [
        (max(expected, 1 - expected), "you turn an area below a half around. It is a finding: this detector takes "
         "attacked images for the more innocent ones."),
        (1 - expected, "your order is turned: count the pairs in which the *attacked* image has the higher score."),
        (strictly, "you give nothing for equal scores. Such a pair counts half: a coin decides it."),
        (strictly + ties, "you count equal scores in full. Such a pair counts half: a coin decides it."),
        (pairs * expected, "you count pairs. Divide by their number, the product of both."),
        (100 * expected, "return a share in [0, 1], not percent."),
        (float((attacked > clean.mean()).float().mean()), "you compare with the mean of the clean scores. Compare with "
         "each of them."),
        (float((attacked > clean.max()).float().mean()), "you compare with the largest clean score: that is the share "
         "caught without any false alarm, one point of the curve."),
    ]  # fmt: skip
    if len(clean) == len(attacked):
        matched = float((attacked > clean).float().mean() + (attacked == clean).float().mean() / 2)
        wrongs.append((matched, "you compare each attacked image with one clean image only. Take all pairs: (N, 1) "
                       "against (M,)."))  # fmt: skip
    for wrong, sentence in wrongs:
        if _near(found, wrong):
            raise Mistake(sentence)
    raise Mistake(f"of {pairs} pairs the share is {expected:.3f}; you return {found:.3f}.")


def _near(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, abs_tol=1e-4)
