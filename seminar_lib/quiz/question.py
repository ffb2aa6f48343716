"""A question with its answers, and what is said to each of them.

Texts are one paragraph each, with ``$LaTeX$``, ```code``` and ``*emphasis*``; ``markup.html`` shows them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Verdict:
    """What is said to an answer.

    Attributes:
        right: whether it is right.
        words: why, sentence by sentence.
    """

    right: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from, whether it is right, and why."""

    text: str
    right: bool
    because: str


@dataclass(frozen=True)
class Choice:
    """A question with options, of which one or several are right.

    Attributes:
        name: in a few letters, unique within its lesson.
        ask: the question.
        options: two or more.
        explanation: the answer, in words.
    """

    name: str
    ask: str
    options: tuple[Option, ...]
    explanation: str

    @property
    def several(self) -> bool:
        """Whether more than one option is right, so that boxes are to be ticked."""
        return sum(option.right for option in self.options) > 1

    @property
    def answer(self) -> str:
        """The letters of the right options, such as ``"A, C"``."""
        return ", ".join(letter(place) for place, option in enumerate(self.options) if option.right)

    def credit(self, option: Option) -> float:
        """What choosing an option adds to the mark, from -1 to 1.

        The right ones add up to 1. Where several are right the wrong ones add up to -1, so that ticking all earns
        nothing; a platform gives no less than 0 in the end.
        """
        alike = sum(other.right == option.right for other in self.options)
        if option.right:
            return 1 / alike
        return -1 / alike if self.several else 0.0

    def judge(self, chosen: Collection[int]) -> Verdict:
        """What is said to the options at these places, counted from 0: why each of them is right or wrong.

        What was not chosen is not given away.
        """
        picked = [(letter(place), self.options[place]) for place in sorted(chosen)]
        missing = sum(option.right for option in self.options) - sum(option.right for _, option in picked)
        if not self.several:
            words = [option.because for _, option in picked]
        else:
            words = [
                f"{name} {'holds' if option.right else 'does not hold'}: {option.because}" for name, option in picked
            ]
        right = missing == 0 and all(option.right for _, option in picked)
        if right:
            words.append(self.explanation)
        elif self.several and all(option.right for _, option in picked):
            words.append(f"{missing} more {'holds' if missing == 1 else 'hold'}.")
        return Verdict(right, tuple(words))


@dataclass(frozen=True)
class Trap:
    """A wrong number that a known mistake leads to, and which mistake that is."""

    number: float
    because: str


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number.

    Attributes:
        name: in a few letters, unique within its lesson.
        ask: the question; what is asked for can be computed from it.
        number: the answer.
        tolerance: how far from it an answer is still right, in the same unit.
        unit: what it counts, or "".
        traps: wrong numbers that deserve an explanation of their own.
        explanation: how the answer is found.
    """

    name: str
    ask: str
    number: float
    tolerance: float
    unit: str
    traps: tuple[Trap, ...]
    explanation: str

    @property
    def answer(self) -> str:
        """The number with its unit."""
        return f"{self.number:g} {self.unit}".strip()

    def near(self, given: float, number: float) -> bool:
        """Whether two numbers are the same but for the tolerance."""
        return abs(given - number) <= self.tolerance * (1 + 1e-9)  # 0.3 - 0.2 is a little more than 0.1

    def judge(self, given: float) -> Verdict:
        """What is said to a number: how it is found, which mistake it comes from, or at least where the answer lies."""
        if self.near(given, self.number):
            return Verdict(True, (self.explanation,))
        for trap in self.traps:
            if self.near(given, trap.number):
                return Verdict(False, (trap.because,))
        return Verdict(False, (f"{given:g} is too {'small' if given < self.number else 'large'}.",))


#: A question of a quiz: answers to choose from, or a number to give.
Question: TypeAlias = Choice | Number


def letter(place: int) -> str:
    """What the option at a place, counted from 0, is called: A, B, C, ..."""
    return chr(ord("A") + place)
