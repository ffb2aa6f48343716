"""Reading the questions of a lesson from its YAML file, and saying what is wrong with a file.

    title: FGSM
    questions:
      - name: which-sign
        ask: What is ...?
        options:
          - right: This.
            because: It is ...
          - wrong: That.
            because: Whoever says so takes ... for ...
        explanation: It is this, since ...
      - name: how-far
        ask: How far is ...?
        number: 0.5
        tolerance: 0.01
        unit: grey levels
        traps:
          - number: 2
            because: This is the inverse.
        explanation: One over two.

``unit`` and ``traps`` may be left out. Of the options one or several are right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seminar_lib.quiz.question import Choice, Number, Option, Question, Trap

FOLDER = Path(__file__).with_name("bank")


@dataclass(frozen=True)
class Bank:
    """The questions of one lesson.

    Attributes:
        lesson: such as ``"01_fgsm"``.
        title: in a word or two.
        questions: in the order of the lesson.
    """

    lesson: str
    title: str
    questions: tuple[Question, ...]


def lessons() -> list[str]:
    """The lessons that have questions, in order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(lesson: str) -> Bank:
    """The questions of a lesson.

    Raises:
        ValueError: there are none; the message lists the lessons that have some.
    """
    if lesson not in lessons():
        raise ValueError(f"There are no questions for {lesson!r}. There are some for {', '.join(lessons())}.")
    return parse(FOLDER / f"{lesson}.yaml")


def parse(path: Path) -> Bank:
    """The questions in a file; its name is that of the lesson.

    Raises:
        ValueError: the file is not of the form above; the message names file, question and field.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {error}") from None
    fields = _Fields(content, path.name)
    fields.only("title", "questions")
    title, questions = fields.text("title"), tuple(_question(entry) for entry in fields.entries("questions"))
    names = [question.name for question in questions]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{path.name}: two questions are called {twice[0]!r}; a name is there to tell them apart.")
    return Bank(path.stem, title, questions)


class _Fields:
    """One mapping of the file, with the words for where it stands."""

    def __init__(self, content: Any, place: str) -> None:
        if not isinstance(content, Mapping):
            raise ValueError(f"{place} must hold fields such as 'name: value'; got {content!r}.")
        self.content, self.place = content, place

    def only(self, *known: str) -> None:
        """Refuse fields with other names."""
        if unknown := [name for name in self.content if name not in known]:
            raise ValueError(f"{self.place} has a field {unknown[0]!r}; the fields here are {', '.join(known)}.")

    def text(self, name: str, default: str | None = None) -> str:
        """The words of a field as one paragraph."""
        value = self.content.get(name, default)
        if value == "" == default:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise ValueError(
                f"{self.place}: {name!r} must be a text; got {value!r}. Put it in quotes, or below '{name}: >-'."
            )
        words = " ".join(value.split())
        if words.count("$") % 2 or words.count("`") % 2:
            raise ValueError(f"{self.place}: {name!r} opens a $formula$ or a `code` and does not close it: {words!r}.")
        return words

    def number(self, name: str) -> float:
        """The finite number of a field."""
        value = self.content.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{self.place}: {name!r} must be a number such as 0.25; got {value!r}.")
        return float(value)

    def entries(self, name: str) -> list[_Fields]:
        """The mappings of a list that is not empty."""
        value = self.content.get(name)
        if not isinstance(value, list) or not value:
            raise ValueError(f"{self.place}: {name!r} must be a list, an entry behind each '-'; got {value!r}.")
        return [_Fields(entry, f"{self.place}, {name[:-1]} {count}") for count, entry in enumerate(value, 1)]


def _question(fields: _Fields) -> Question:
    name = fields.text("name")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"{fields.place}: 'name' is of small letters, digits and hyphens; got {name!r}.")
    fields.place = f"{fields.place} ({name})"
    if ("options" in fields.content) == ("number" in fields.content):
        raise ValueError(f"{fields.place} needs either 'options' to choose from or a 'number' as its answer.")
    return _choice(name, fields) if "options" in fields.content else _number(name, fields)


def _choice(name: str, fields: _Fields) -> Choice:
    fields.only("name", "ask", "options", "explanation")
    options = tuple(_option(entry) for entry in fields.entries("options"))
    if len(options) < 2 or not any(option.right for option in options):
        raise ValueError(f"{fields.place}: 'options' needs two entries or more, and one of them must be 'right'.")
    if len({option.text for option in options}) < len(options):
        raise ValueError(f"{fields.place}: two entries of 'options' say the same.")
    return Choice(name, fields.text("ask"), options, fields.text("explanation"))


def _option(fields: _Fields) -> Option:
    fields.only("right", "wrong", "because")
    if ("right" in fields.content) == ("wrong" in fields.content):
        raise ValueError(f"{fields.place} must begin with either 'right:' or 'wrong:'.")
    right = "right" in fields.content
    return Option(fields.text("right" if right else "wrong"), right, fields.text("because"))


def _number(name: str, fields: _Fields) -> Number:
    fields.only("name", "ask", "number", "tolerance", "unit", "traps", "explanation")
    traps = tuple(_trap(entry) for entry in fields.entries("traps")) if "traps" in fields.content else ()
    number, tolerance = fields.number("number"), fields.number("tolerance")
    if tolerance < 0:
        raise ValueError(f"{fields.place}: 'tolerance' is a distance and not below 0; got {tolerance:g}.")
    found = Number(
        name, fields.text("ask"), number, tolerance, fields.text("unit", ""), traps, fields.text("explanation")
    )
    if reached := [trap for trap in traps if abs(trap.number - number) <= 2 * tolerance]:
        raise ValueError(
            f"{fields.place}: the trap {reached[0].number:g} cannot be told from the answer {number:g} with "
            f"'tolerance' {tolerance:g}."
        )
    return found


def _trap(fields: _Fields) -> Trap:
    fields.only("number", "because")
    return Trap(fields.number("number"), fields.text("because"))
