"""The check of exercise 9.3: from two polls to a label with a radius, or to no answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right
from seminar_lib.exercises.number import number, whole
from seminar_lib.smoothing import ABSTAIN
from seminar_lib.smoothing.bounds import lower_bound, radius


@dataclass(frozen=True)
class _Polls:
    """The votes of two polls for each of four classes."""

    choose: tuple[int, ...]
    test: tuple[int, ...]
    sigma: float = 0.25
    alpha: float = 0.001

    @property
    def chosen(self) -> int:
        return self.choose.index(max(self.choose))

    def certified(self, k: int, n: int, alpha: float | None = None, sigma: float | None = None) -> float:
        """The radius of k votes of n."""
        return float(radius(lower_bound(k, n, self.alpha if alpha is None else alpha), sigma or self.sigma))


CLEAR = _Polls((2, 5, 90, 3), (20, 60, 905, 15))
OTHER_SIGMA = _Polls((70, 10, 10, 10), (300, 40, 30, 30), sigma=0.5, alpha=0.01)
CLOSE = _Polls((10, 55, 25, 10), (160, 530, 210, 100))  # more than half of the votes, but the bound is below
CHANGED = _Polls((30, 40, 20, 10), (800, 120, 50, 30))  # the second poll is for a class that the first did not choose


@marks
def check_certificate(my_certificate: Answer) -> None:
    """Exercise 9.3: the first poll chooses the label, the second one tests it."""
    for polls in (CLEAR, OTHER_SIGMA):
        _judge_certified(*_asked(my_certificate, polls), polls)
    for polls in (CLOSE, CHANGED):
        _judge_abstained(*_asked(my_certificate, polls), polls)
    right("9.3", "905 votes of 1000 are a radius of 0.29; 530 of 1000 are more than a half, and no certificate.")


def _asked(my_certificate: Answer, polls: _Polls) -> tuple[int, float]:
    given = torch.tensor(polls.choose), torch.tensor(polls.test)
    answer = ask("9.3", my_certificate, *(votes.clone() for votes in given), polls.sigma, polls.alpha)
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two things, the label and the radius; you return {answer!r}.")
    return _label(answer[0]), number(answer[1], "the radius")


def _label(value: Any) -> int:
    if value is None:
        raise Mistake("where nothing is certain the label is ABSTAIN; you return None.")
    if (label := whole(value)) is None:
        raise Mistake(f"the label, a whole number, comes first, and then the radius; your first is {value!r}.")
    return label


def _judge_certified(label: int, found: float, polls: _Polls) -> None:
    k, n = polls.test[polls.chosen], sum(polls.test)
    if label == ABSTAIN:
        raise Mistake(f"you abstain, but {k} votes of {n} for the chosen class prove more than a half.")
    if label != polls.chosen:
        raise Mistake(f"your label is {label}; most votes of the first poll are for class {polls.chosen}.")
    expected = polls.certified(k, n)
    if _near(found, expected):
        return
    k_first, n_first = max(polls.choose), sum(polls.choose)
    for wrong, sentence in (
        (float(radius(k / n, polls.sigma)), "you turn the share of the votes into a radius. The share is an estimate; "
         "take its lower bound."),
        (polls.certified(k, n, alpha=polls.alpha / 2), "you split alpha between two ends; the bound has one."),
        (polls.certified(k, n, sigma=polls.sigma**2), "you use sigma**2, the variance. The radius takes sigma."),
        (polls.certified(k_first, n_first), "you test the label by the poll that chose it. The winner of a poll has "
         "more votes than it deserves: count them in the second poll, which knows nothing of the first."),
        (polls.certified(k + k_first, n + n_first), "you add the polls. The first one chose the label, so its votes "
         "are biased in its favour; only the second may count."),
        (polls.certified(k, n + n_first), "you divide by the number of both polls. k are votes of the second alone."),
        (polls.certified(k, n, alpha=1 - polls.alpha), "your bound is too high nearly always: alpha is the probability "
         "of an error, not the confidence."),
        (float(lower_bound(k, n, polls.alpha)), "that is the bound of the probability. Turn it into a radius."),
    ):  # fmt: skip
        if _near(found, wrong):
            raise Mistake(sentence)
    raise Mistake(f"{k} votes of {n} at sigma = {polls.sigma} certify {expected:.4f}; you return {found:.4f}.")


def _judge_abstained(label: int, found: float, polls: _Polls) -> None:
    k, n = polls.test[polls.chosen], sum(polls.test)
    if label != ABSTAIN and polls is CHANGED and label == polls.test.index(max(polls.test)):
        raise Mistake(
            "you choose the label by the poll that tests it. The winner of a poll has more votes than it deserves, so "
            "the bound would be too high more often than alpha allows. Choose by the first poll; where the second does "
            "not confirm it, abstain."
        )
    if label != ABSTAIN:
        bound = float(lower_bound(k, n, polls.alpha))
        raise Mistake(
            f"{k} votes of {n} prove no more than {bound:.3f}, and nothing is certain up to a half. Return "
            f"(ABSTAIN, 0.0); you return label {label} with radius {found:.3f}."
        )
    if found != 0:
        raise Mistake(f"you abstain, and still return a radius of {found:.3f}. Return (ABSTAIN, 0.0).")


def _near(answer: float, value: float) -> bool:
    return math.isclose(answer, value, rel_tol=1e-3)
