"""The check of exercise 8.4: what a map of an embedding can be asked."""

from __future__ import annotations

from seminar_lib.exercises.marking import Answer, ask, marks, right
from seminar_lib.exercises.statements import judge_statements

STATEMENTS = {
    "a": (True, "a shadow never lengthens a distance, so what lies apart on a PCA map lies apart in the embedding"),
    "b": (False, "what lies one behind the other throws the same shadow: near on a PCA map need not be near"),
    "c": (False, "t-SNE keeps neighbours and gives up distances between clusters; they mean nothing"),
    "d": (True, "keeping neighbours is what t-SNE is for: a mark amid a cluster has most of its neighbours there"),
    "e": (False, "each map has axes of its own, free up to a rotation or a mirror: left and right mean nothing there"),
    "f": (False, "a clean map says nothing about what an attack does: an undefended network keeps its classes well "
          "apart, and the attack walks from one to the next"),
}  # fmt: skip


@marks
def check_reading(what_holds: Answer) -> None:
    """Exercise 8.4: which of the lesson's statements a to f hold."""
    judge_statements(ask("8.4", what_holds), STATEMENTS)
    right("8.4", "A map is for finding questions; the numbers of the embedding answer them.")
