"""The questions of a lesson as Moodle XML, for *Question bank > Import*.

Form: https://docs.moodle.org/en/Moodle_XML_format (questions of type ``multichoice`` and ``numerical``). It has no
official schema. Moodle shuffles the options, shows why the chosen one is right or wrong, and then the explanation.
Formulas need its MathJax filter, which is on where nobody turned it off.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from seminar_lib.quiz.bank import Bank
from seminar_lib.quiz.markup import html
from seminar_lib.quiz.question import Choice, Number, Question

ANYTHING = "*"  # as an answer: every other number


def moodle(bank: Bank) -> bytes:
    """The XML file, with the questions in a category of the lesson's name."""
    quiz = ET.Element("quiz")
    category = ET.SubElement(quiz, "question", type="category")
    _text(category, "category", f"$course$/top/{bank.lesson}")
    for question in bank.questions:
        _question(quiz, bank, question)
    ET.indent(quiz)
    written: bytes = ET.tostring(quiz, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _question(quiz: ET.Element, bank: Bank, question: Question) -> None:
    kind = "multichoice" if isinstance(question, Choice) else "numerical"
    element = ET.SubElement(quiz, "question", type=kind)
    _text(element, "name", f"{bank.lesson} {question.name}")
    unit = f" (Answer in {question.unit}.)" if isinstance(question, Number) and question.unit else ""
    _html(element, "questiontext", question.ask + unit)
    _html(element, "generalfeedback", question.explanation)
    for name, value in {"defaultgrade": "1", "penalty": "0.3333333", "hidden": "0"}.items():
        ET.SubElement(element, name).text = value
    ET.SubElement(element, "idnumber").text = f"{bank.lesson}-{question.name}"
    if isinstance(question, Choice):
        _choice(element, question)
    else:
        _number(element, question)


def _choice(element: ET.Element, question: Choice) -> None:
    settings = {"single": str(not question.several).lower(), "shuffleanswers": "true", "answernumbering": "ABCD"}
    for name, value in settings.items():
        ET.SubElement(element, name).text = value
    for option in question.options:
        fraction = f"{100 * question.credit(option):.7g}"  # seven digits: of thirds and sevenths it knows so many
        answer = ET.SubElement(element, "answer", fraction=fraction, format="html")
        ET.SubElement(answer, "text").text = html(option.text)
        _html(answer, "feedback", option.because)


def _number(element: ET.Element, question: Number) -> None:
    said = [(f"{question.number:.10g}", "100", "")]
    said += [(f"{trap.number:.10g}", "0", trap.because) for trap in question.traps]
    said += [(ANYTHING, "0", "This is none of the numbers that a common mistake leads to. Compute it step by step.")]
    for text, fraction, because in said:  # Moodle takes the first that fits
        answer = ET.SubElement(element, "answer", fraction=fraction, format="moodle_auto_format")
        ET.SubElement(answer, "text").text = text
        _html(answer, "feedback", because)
        ET.SubElement(answer, "tolerance").text = "0" if text == ANYTHING else f"{question.tolerance:.10g}"
    settings = {"unitgradingtype": "0", "unitpenalty": "0", "showunits": "3", "unitsleft": "0"}  # no unit is typed in
    for name, value in settings.items():
        ET.SubElement(element, name).text = value


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(ET.SubElement(parent, name), "text").text = text


def _html(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(ET.SubElement(parent, name, format="html"), "text").text = html(text)
