"""Moodle XML: valid, and marked by Moodle's rules as the questions are marked here."""

from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from seminar_lib import quiz
from seminar_lib.quiz import Choice, Number
from seminar_lib.quiz.moodle import moodle


@pytest.fixture
def elements(small):
    """The three questions of the small lesson, without the category before them."""
    return ET.fromstring(moodle(small)).findall("question")[1:]


@pytest.mark.parametrize("lesson", quiz.lessons())
def test_every_lesson_is_valid(lesson, schema):
    schema("moodle.xsd").validate(moodle(quiz.read(lesson)))


def test_the_schema_can_say_no(small, schema):
    """A mark that Moodle does not know, and an answer without feedback."""
    valid = schema("moodle.xsd").is_valid
    content = moodle(small)
    assert valid(content)
    assert not valid(content.replace(b'fraction="33.33333"', b'fraction="33.3"', 1))
    assert not valid(content.replace(b"feedback", b"feedbak"))


def test_texts_are_html_with_latex(elements, small):
    one = elements[0]
    assert one.findtext("questiontext/text") == r"Which sign has \(a &lt; b\) in <code>x &amp; y</code>?"
    assert [answer.findtext("text") for answer in one.findall("answer")] == [
        "The <em>first</em>.",
        r"The second, \(x^2\).",
    ]


def test_each_question_carries_its_reasons_and_its_explanation(elements, small):
    for element, question in zip(elements, small.questions, strict=True):
        assert element.findtext("generalfeedback/text") == question.explanation
        said = [answer.findtext("feedback/text") for answer in element.findall("answer")]
        entries = question.options if isinstance(question, Choice) else question.traps
        assert [entry.because for entry in entries] == [words for words in said if words][: len(entries)]


def test_boxes_are_marked_as_here(elements, small):
    """Moodle adds the marks of the chosen options, and gives no less than 0."""
    assert [element.findtext("single") for element in elements[:2]] == ["true", "false"]
    for element, question in zip(elements[:2], small.questions[:2], strict=True):
        marks = [float(answer.get("fraction")) / 100 for answer in element.findall("answer")]
        most = 1 if element.findtext("single") == "true" else len(marks)
        for size in range(1, most + 1):
            for chosen in combinations(range(len(marks)), size):
                mark = max(0, sum(marks[place] for place in chosen))
                assert (mark == pytest.approx(1, abs=1e-4)) == question.judge(chosen).right
        assert max(0, sum(marks)) == pytest.approx(0 if question.several else 1, abs=1e-4)


@pytest.mark.parametrize("given", [0.5, 0.49, 0.485, 2, 2.005, 3, -1])
def test_numbers_are_marked_as_here(elements, small, given):
    """Moodle takes the first answer whose tolerance reaches the number; the asterisk reaches all."""
    number: Number = small.questions[2]
    for answer in elements[2].findall("answer"):
        text, reach = answer.findtext("text"), float(answer.findtext("tolerance"))
        if text == "*" or abs(given - float(text)) <= reach + 1e-12:
            break
    assert (answer.get("fraction") == "100") == number.judge(given).right
    if number.traps[0].because in number.judge(given).words:
        assert answer.findtext("feedback/text") == number.traps[0].because


def test_the_unit_is_named_in_the_question(elements):
    assert elements[2].findtext("questiontext/text") == "How much is one half? (Answer in litres.)"
