"""The check of exercise 8.4: what a map of an embedding can be asked."""

from __future__ import annotations

from seminar_lib.exercises.marking import Answer, Mistake, ask, marks, right

# Statement: whether it holds, and why.
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
    answer = ask("8.4", what_holds)
    if not isinstance(answer, str | set | list | tuple) or not all(isinstance(part, str) for part in answer):
        raise Mistake(f'return the letters of the statements that hold, such as "ab"; you return {answer!r}.')
    chosen = set("".join(answer).replace(",", "").replace(" ", "").lower())
    if unknown := chosen - STATEMENTS.keys():
        raise Mistake(f"there is no statement {min(unknown)!r}; they are a to f.")
    for letter, (holds, reason) in STATEMENTS.items():
        if (letter in chosen) != holds:
            raise Mistake(f"think again about {letter}: {reason}.")
    right("8.4", "A map is for finding questions; the numbers of the embedding answer them.")
