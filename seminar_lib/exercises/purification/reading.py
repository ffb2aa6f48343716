"""The check of exercise 10.4: what a table of adversaries says of a purifier."""

from __future__ import annotations

from seminar_lib.exercises.marking import Answer, ask, marks, right
from seminar_lib.exercises.statements import judge_statements

STATEMENTS = {
    "a": (False, "98.8 % is what an attack leaves that cannot move: rounding has no slope. BPDA leaves 2 %"),
    "b": (True, "each adversary can only show that an image falls, so what the strongest leaves is an upper bound of "
          "what is robust, and the others are higher ones"),
    "c": (False, "a secret purifier is a bet on the adversary's ignorance. And blind attacks that go far enough break "
          "most of these anyway"),
    "d": (True, "where all draws are right, most are: on the same draws the worst of N is never above the majority"),
    "e": (False, "the interval is that of the images that were drawn: with others, the same attack would leave between "
          "8 and 16 %. Of stronger attacks it says nothing, and they may leave less"),
    "f": (True, "in the worst case each keeps 60.2 % or less in front of `pgd_at`, which keeps 62.5 % without any"),
    "g": (False, "an adversary can send an image as often as it likes, and needs one mistake. Whoever votes over draws "
          "has to pay for all of them each time, and then the majority is the number"),
}  # fmt: skip


@marks
def check_reading(what_holds: Answer) -> None:
    """Exercise 10.4: which of the lesson's statements a to g hold."""
    judge_statements(ask("10.4", what_holds), STATEMENTS)
    right("10.4", "Believe the lowest number, and ask who was allowed to try, how hard, and how often.")
