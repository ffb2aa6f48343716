"""What exercises share that ask which of several statements hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seminar_lib.exercises.marking import Mistake

Statements = Mapping[str, tuple[bool, str]]  # by letter: whether it holds, and why


def judge_statements(answer: Any, statements: Statements) -> None:
    """Refuse letters that are not those of the statements that hold, with the reason for the first that is wrong."""
    if not isinstance(answer, str | set | list | tuple) or not all(isinstance(part, str) for part in answer):
        raise Mistake(f'return the letters of the statements that hold, such as "ab"; you return {answer!r}.')
    chosen = set("".join(answer).replace(",", "").replace(" ", "").lower())
    if unknown := chosen - statements.keys():
        raise Mistake(f"there is no statement {min(unknown)!r}; they are {min(statements)} to {max(statements)}.")
    for letter, (holds, reason) in statements.items():
        if (letter in chosen) != holds:
            raise Mistake(f"think again about {letter}: {reason}.")
