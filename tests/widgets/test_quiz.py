"""The questions in a notebook, without a browser: what is shown, and what is said to answers."""

import html
import re

import pytest
from ipywidgets import Checkbox, RadioButtons, Text

from seminar_lib import quiz
from seminar_lib.plots import RIGHT, WRONG
from seminar_lib.quiz import Choice, Number, markup
from seminar_lib.widgets import Quiz

LESSON = "01_fgsm"
KINDS = {
    "one": lambda question: isinstance(question, Choice) and not question.several,
    "several": lambda question: isinstance(question, Choice) and question.several,
    "number": lambda question: isinstance(question, Number),
}


@pytest.fixture
def shown():
    return Quiz(LESSON)


def go_to(shown, kind):
    """Press Next until a question of this kind is shown, and return it."""
    while not KINDS[kind](question := shown.questions[shown.place]):
        shown.controls["next"].click()
    return question


def answer(shown, question, right):
    """Give a right answer, or a wrong one."""
    if isinstance(question, Number):
        shown.fields[0].value = str(question.number if right else question.traps[0].number)
    elif question.several:
        for box, option in zip(shown.fields, question.options, strict=True):
            box.value = option.right == right
    else:
        shown.fields[0].index = next(i for i, option in enumerate(question.options) if option.right == right)
    shown.controls["check"].click()


def said(shown):
    """The sentence as text."""
    return html.unescape(re.sub(r"<[^>]+>", "", shown.sentence.value))


def plain(text):
    """A text of a question as it is shown, without tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup.html(text)))


def test_all_questions_of_the_lesson_are_asked_in_order(shown):
    for place, question in enumerate(quiz.read(LESSON).questions):
        assert f"Question {place + 1} of {len(shown.questions)}." in shown.question.value
        assert markup.html(question.ask) in shown.question.value
        for option in question.options if isinstance(question, Choice) else ():
            assert markup.html(option.text) in shown.question.value
            assert markup.html(option.because) not in shown.question.value
        assert shown.controls["back"].disabled == (place == 0)
        assert shown.controls["next"].disabled == (place == len(shown.questions) - 1)
        shown.controls["next"].click()


def test_the_unit_of_a_number_is_named(shown):
    while shown.questions[shown.place].name != "normalised-eps":
        shown.controls["next"].click()
    assert "Answer in /255." in shown.question.value


@pytest.mark.parametrize(("kind", "field"), [("one", RadioButtons), ("several", Checkbox), ("number", Text)])
def test_each_kind_has_its_field_and_nothing_is_chosen(shown, kind, field):
    question = go_to(shown, kind)
    assert all(isinstance(each, field) for each in shown.fields)
    assert len(shown.fields) == (len(question.options) if kind == "several" else 1)
    assert all(each.description for each in shown.fields)
    assert not any(each.value for each in shown.fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_answer_is_told_why_and_not_the_answer(shown, kind):
    question = go_to(shown, kind)
    answer(shown, question, right=False)
    entries = question.traps[:1] if kind == "number" else [o for o in question.options if not o.right]
    reasons = [plain(entry.because) for entry in (entries if kind == "several" else entries[:1])]
    assert said(shown).startswith(WRONG)
    assert all(reason in said(shown) for reason in reasons)
    assert plain(question.explanation) not in said(shown)
    assert shown.solved == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_answer_is_explained_and_counted(shown, kind):
    question = go_to(shown, kind)
    answer(shown, question, right=True)
    assert said(shown).startswith(RIGHT)
    assert plain(question.explanation) in said(shown)
    assert f"1 of {len(shown.questions)} solved." in said(shown)
    answer(shown, question, right=True)
    assert f"1 of {len(shown.questions)} solved." in said(shown), "once"


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_was_shown_is_not_counted(shown, kind):
    question = go_to(shown, kind)
    shown.controls["explain"].click()
    assert f"The answer: {plain(question.answer)}." in said(shown)
    answer(shown, question, right=True)
    assert said(shown).startswith(RIGHT)
    assert shown.solved == set()


def test_showing_the_answer_takes_nothing_from_who_had_solved_it(shown):
    answer(shown, go_to(shown, "one"), right=True)
    shown.controls["explain"].click()
    assert f"1 of {len(shown.questions)} solved." in said(shown)


@pytest.mark.parametrize("kind", ["one", "several"])
def test_no_choice_is_no_mistake(shown, kind):
    go_to(shown, kind)
    shown.controls["check"].click()
    assert said(shown).startswith("Choose an answer first.")


@pytest.mark.parametrize("text", ["", "many", "1/0", "nan"])
def test_what_is_no_number_is_no_mistake_either(shown, text):
    go_to(shown, "number")
    shown.fields[0].value = text
    shown.controls["check"].click()
    assert said(shown).startswith("Write a number such as 0.25 or 1/4.")


@pytest.mark.parametrize("text", ["0.35", " 0,35 ", "7/20", "3.5e-1"])
def test_numbers_may_be_written_in_several_ways(shown, text):
    while shown.questions[shown.place].name != "linear-increase":
        shown.controls["next"].click()
    shown.fields[0].value = text
    shown.controls["check"].click()
    assert said(shown).startswith(RIGHT)


def test_the_sentence_is_announced_and_goes_with_its_question(shown):
    answer(shown, go_to(shown, "one"), right=True)
    assert 'role="status" aria-live="polite"' in shown.sentence.value
    shown.controls["next"].click()
    assert said(shown).strip() == f"1 of {len(shown.questions)} solved."
    shown.controls["back"].click()
    assert RIGHT not in said(shown)


def test_a_notebook_shows_the_widget(shown):
    assert shown._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.widget.model_id


def test_a_lesson_without_questions_is_refused():
    with pytest.raises(ValueError, match="There are no questions for 'fgsm'"):
        Quiz("fgsm")
