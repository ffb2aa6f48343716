"""The questions of a lesson in a notebook, one at a time, with a sentence for every answer.

Options stand in a list with letters, which the buttons below repeat: a button of a notebook cannot show a formula.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from ipywidgets import Button, Checkbox, HBox, HTMLMath, Layout, RadioButtons, Text, VBox

from seminar_lib.plots import RIGHT, WRONG
from seminar_lib.quiz import Choice, Number, Question, Verdict, letter, read
from seminar_lib.quiz.markup import html

WIDTH = "760px"  # a line that the eye can follow


class Quiz:
    """Questions about a lesson; a notebook shows them when this is the last line of a cell.

    Args:
        lesson: such as ``"01_fgsm"``.

    Attributes:
        questions: all of the lesson.
        place: which of them is shown, from 0.
        solved: the places of those that were answered rightly, without their answer being shown before.
        controls: the buttons by name: "check", "explain", "back" and "next"; ``click()`` presses one.
        fields: what the answer is given with: radio buttons, a check box for each option, or one field for a number.
        question: the widget that shows the question and its options.
        sentence: the widget that shows what is said to the answer.
        widget: all of them together.

    Raises:
        ValueError: there are no questions for this lesson, or its file is wrong; see ``quiz.read``.
    """

    def __init__(self, lesson: str) -> None:
        self.questions = read(lesson).questions
        self.place = 0
        self.solved: set[int] = set()
        self._shown: set[int] = set()
        actions: dict[str, tuple[str, Callable[[], None]]] = {
            "check": ("Check", self._check),
            "explain": ("Show the answer", self._explain),
            "back": ("Back", lambda: self._go(self.place - 1)),
            "next": ("Next", lambda: self._go(self.place + 1)),
        }
        self.controls = {name: _button(words, action) for name, (words, action) in actions.items()}
        self.question = HTMLMath(layout=Layout(width=WIDTH))
        self.sentence = HTMLMath(layout=Layout(width=WIDTH, min_height="6em"))  # buttons above it: nothing jumps
        self.fields: list[Field] = []
        self._answer = HBox()  # only this changes its children: a button that is drawn anew loses the focus
        self.widget = VBox([self.question, self._answer, HBox(list(self.controls.values())), self.sentence])
        self._go(0)

    def _check(self) -> None:
        try:
            verdict = self._judged()
        except ValueError as nothing:
            self._say(html(str(nothing)))
            return
        if verdict.right and self.place not in self._shown:
            self.solved.add(self.place)
        self._say(" ".join([RIGHT if verdict.right else WRONG, *map(html, verdict.words)]))

    def _judged(self) -> Verdict:
        if isinstance(self._asked, Number):
            return self._asked.judge(_number(self.fields[0].value))
        if isinstance(self.fields[0], Checkbox):
            chosen = {place for place, box in enumerate(self.fields) if box.value}
        else:
            chosen = {self.fields[0].index} - {None}
        if not chosen:
            raise ValueError("Choose an answer first.")
        return self._asked.judge(chosen)

    def _explain(self) -> None:
        self._shown |= {self.place} - self.solved
        self._say(f"The answer: {html(self._asked.answer)}. {html(self._asked.explanation)}")

    def _go(self, place: int) -> None:
        self.place = place
        self.question.value = _page(self._asked, place, len(self.questions))
        self.fields = _fields(self._asked)
        self._answer.children = self.fields
        self.controls["back"].disabled = place == 0
        self.controls["next"].disabled = place == len(self.questions) - 1
        self._say("")

    @property
    def _asked(self) -> Question:
        return self.questions[self.place]

    def _say(self, words: str) -> None:
        count = f"{len(self.solved)} of {len(self.questions)} solved."
        self.sentence.value = f'<div role="status" aria-live="polite">{words} <em>{count}</em></div>'

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)


Field: TypeAlias = RadioButtons | Checkbox | Text


def _button(words: str, action: Callable[[], None]) -> Button:
    button = Button(description=words)
    button.on_click(lambda _: action())
    return button


def _page(question: Question, place: int, count: int) -> str:
    lines = [f"<strong>Question {place + 1} of {count}.</strong> {html(question.ask)}"]
    if isinstance(question, Choice):
        listed = enumerate(question.options)
        lines += [f"<strong>{letter(place)}</strong> {html(option.text)}" for place, option in listed]
        lines.append(f"<em>{'Several are' if question.several else 'One is'} right.</em>")
    elif question.unit:
        lines.append(f"<em>Answer in {html(question.unit)}.</em>")
    return "".join(f'<p style="line-height: 1.4; margin: 0.5em 0">{line}</p>' for line in lines)


def _fields(question: Question) -> list[Field]:
    if isinstance(question, Number):
        # The page holds back a value while the one before it is on its way, but never a press of a button: sent with
        # each key, "1.74" could be checked as "1". Sent whole, on leaving the field, it is there before the button.
        return [Text(description="answer", placeholder="a number", continuous_update=False)]
    letters = [letter(place) for place in range(len(question.options))]
    if question.several:
        return [Checkbox(description=name, indent=False, layout=Layout(width="5em")) for name in letters]
    radios = RadioButtons(options=letters, index=None, description="answer", orientation="horizontal")
    return [radios.add_class("jupyter-widgets").add_class("widget-inline-hbox")]  # or their description stands above


def _number(text: str) -> float:
    """A number as people write it: 0.25, 0,25 or 1/4."""
    try:
        return float(Fraction(text.strip().replace(",", ".")))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError("Write a number such as 0.25 or 1/4.") from None
