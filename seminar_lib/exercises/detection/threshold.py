"""The check of exercise 11.1: the threshold that rejects no more clean images than was agreed."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from seminar_lib.detection.base import quantile
from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number
from seminar_lib.types import PerExample

Wrong = Callable[[PerExample, float], float]


@marks
def check_threshold(chosen: Answer) -> None:
    """Exercise 11.1: the smallest threshold that rejects a share of at most ``fpr`` of the validation images."""
    # 5 % of 50 are 2.5 images, 20 % of 40 exactly 8. The second scores are rounded, so that several are equal.
    for n, fpr, digits in ((50, 0.05, 4), (40, 0.2, 0)):
        scores = _scores(n, digits)
        given = {name: part.clone() for name, part in scores.items()}
        found = number(ask("11.1", chosen, given, fpr), "a threshold")
        if not all(torch.equal(given[name], part) for name, part in scores.items()):
            raise Mistake("you changed the scores in place. Work on copies.")
        _judge(found, scores, fpr)
    right(
        "11.1",
        "The defender chooses how many clean images to lose; what is caught for it, no validation image can say.",
    )


def _scores(n: int, digits: int) -> dict[str, PerExample]:
    """Skewed scores of three kinds of images; with 0 digits many are equal."""
    generator = torch.Generator().manual_seed(n)
    draws = torch.rand(3, n, generator=generator).log().neg() * 4  # exponential, as a squared distance nearly is
    validation, test, attacked = draws.round(decimals=digits)
    return {"validation": validation, "test": test, "attacked": attacked + 6.5}


def _judge(found: float, scores: dict[str, PerExample], fpr: float) -> None:
    validation = scores["validation"]
    if _near(found, quantile(validation, fpr)):
        return
    everything = torch.cat(list(scores.values()))
    wrongs: tuple[tuple[PerExample, Wrong, str], ...] = (
        (validation, _at_or_above, "you count an image whose score *is* the threshold as rejected. Rejected is "
         "score > threshold: the threshold is the highest score that is still accepted."),
        (scores["test"], quantile, "you choose it on the test images. They shall say how many false alarms there "
         "really are, and can no longer do so once they have chosen the threshold."),
        (scores["attacked"], quantile, "you choose it on attacked images. Then it stands only for this one attack, and "
         "nobody knows how many clean images it rejects."),
        (scores["attacked"], _wrong_tail, "you choose it on attacked images, so that most of them are caught. The next "
         "attack has other scores; the clean images keep theirs."),
        (everything, quantile, "you put all scores together. Only those of the validation images may choose."),
        (validation, _wrong_tail, "you take the wrong end: high scores are the suspicious ones, and your threshold "
         "rejects nearly all clean images."),
        (validation, _distinct, "you take each value once. Images with the same score count each for itself."),
        (validation, _normal, "you take mean and deviation as if scores were normal. They are skewed: count them."),
        (validation, lambda scores, fpr: float(scores.max()), "you take the largest score: then nothing is rejected."),
        (validation, lambda scores, fpr: quantile(scores, 0.05), "you take 5 %, whatever fpr is."),
    )  # fmt: skip
    for part, wrong, sentence in wrongs:
        if _near(found, wrong(part, fpr)):
            raise Mistake(sentence)
    _count(found, validation, fpr)


def _count(found: float, validation: PerExample, fpr: float) -> None:
    n, rejected, allowed = len(validation), int((validation > found).sum()), int(fpr * len(validation))
    if rejected > allowed:
        hint = ""
        if _near(found, float(validation.quantile(1 - fpr))):
            hint = " torch.quantile puts a value between two scores where it finds no score at the place it wants."
        raise Mistake(
            f"your threshold rejects {rejected} of {n} validation images; fpr={fpr:g} allows {allowed}.{hint}"
        )
    if rejected < int((validation > quantile(validation, fpr)).sum()):
        raise Mistake(
            f"your threshold rejects {rejected} of {n} validation images. A smaller one would reject more of the "
            f"attacked images, and still no more than the {allowed} clean ones that fpr={fpr:g} allows."
        )
    raise Mistake(
        "your threshold lies between two scores: it rejects the right images, but it is not the smallest that does so. "
        "Take the highest score that is still accepted."
    )


def _at_or_above(scores: PerExample, fpr: float) -> float:
    """The smallest score that a share of at most ``fpr`` reaches."""
    return min(float(score) for score in scores if float((scores >= score).float().mean()) <= fpr + 1e-6)


def _wrong_tail(scores: PerExample, fpr: float) -> float:
    return float(scores.sort().values[int(fpr * len(scores))])


def _distinct(scores: PerExample, fpr: float) -> float:
    values = scores.unique()
    return float(values[len(values) - 1 - int(fpr * len(values))])


def _normal(scores: PerExample, fpr: float) -> float:
    return float(scores.mean() + scores.std() * torch.distributions.Normal(0, 1).icdf(torch.tensor(1 - fpr)))


def _near(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, rel_tol=1e-5, abs_tol=1e-5)
