"""The check of exercise 11.4: what a table of detectors says, and what it does not."""

from __future__ import annotations

from seminar_lib.exercises.marking import Answer, ask, marks, right
from seminar_lib.exercises.statements import judge_statements

STATEMENTS = {
    "a": (False, "an AUROC is a share of pairs and knows no threshold. At that of 5 % false alarms, kernel density, "
          "with an AUROC of 0.969, catches 82.4 %"),
    "b": (True, "*safe* is right or rejected, so whoever rejects everything has 100 % of it, and serves nobody. That "
          "is why *served* stands beside it"),
    "c": (False, "each detector of the first table catches 68 % or more of the attack that does not know it, and "
          "5.5 % or less of the one that does"),
    "d": (True, "other images were drawn. 5 % were agreed on 960 validation images, and of 256 test images anything "
          "from 2.7 to 5.9 % was rejected"),
    "e": (False, "a lower threshold rejects more clean images, and the attack has only to go a little further down"),
    "f": (True, "an attack can only show that an image falls. The next one may bring down what this one left"),
}  # fmt: skip


@marks
def check_reading(what_holds: Answer) -> None:
    """Exercise 11.4: which of the lesson's statements a to f hold."""
    judge_statements(ask("11.4", what_holds), STATEMENTS)
    right("11.4", "Ask three things of every detector: at which false alarms, who is still served, and who tried.")
