"""The check of exercise 9.4: what a certificate says, and what it does not."""

from __future__ import annotations

from seminar_lib.exercises.marking import Answer, ask, marks, right
from seminar_lib.exercises.statements import judge_statements

STATEMENTS = {
    "a": (False, "the certificate is about g, the vote over noise; nobody asked f about the image without noise"),
    "b": (True, "the theorem holds for every image within the radius, so it does not matter how one is found; only the "
          "polls may err, with probability alpha"),
    "c": (False, "an answer that stays is not an answer that is right: the certificate knows no labels"),
    "d": (False, "to abstain is to have proved nothing. Nobody has found an image with another answer"),
    "e": (True, "where all votes agree p_lower is alpha^(1/n), which rises with n, if slowly"),
    "f": (False, "8/255 in every value of a 3x32x32 image is an L2 distance of 1.74, far beyond 0.25"),
    "g": (False, "rounding makes another network of it, which may answer otherwise to some of the noise"),
}  # fmt: skip


@marks
def check_reading(what_holds: Answer) -> None:
    """Exercise 9.4: which of the lesson's statements a to g hold."""
    judge_statements(ask("9.4", what_holds), STATEMENTS)
    right("9.4", "A certificate is exact about a small thing: one answer, one ball, one network, one probability.")
