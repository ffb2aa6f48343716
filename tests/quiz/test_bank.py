"""Reading files of questions: what is read, what is refused, and what the shipped files promise."""

import re

import pytest

from seminar_lib import lessons, quiz
from seminar_lib.lessons import products
from seminar_lib.quiz import Choice, Number

WITHOUT_QUESTIONS = {"00_setup"}  # its questions stand with those of lesson 01
SHIPPED = [(lesson, question) for lesson in quiz.lessons() for question in quiz.read(lesson).questions]
IDS = [f"{lesson} {question.name}" for lesson, question in SHIPPED]


@pytest.mark.parametrize("lesson", lessons.found(), ids=lambda lesson: lesson.source.stem)
def test_a_lesson_ends_with_its_own_questions(lesson):
    asks = [cell.source for cell in products.student(lesson).cells if "Quiz(" in cell.source]
    name = lesson.source.stem
    assert asks == ([] if name in WITHOUT_QUESTIONS else [f'from seminar_lib.widgets import Quiz\n\nQuiz("{name}")'])


def test_a_file_is_read(small):
    assert (small.lesson, small.title) == ("99_small", "Small & <new>")
    one, several, number = small.questions
    assert isinstance(one, Choice)
    assert (one.several, one.answer) == (False, "B")
    assert isinstance(several, Choice)
    assert (several.several, several.answer) == (True, "A, C, E")
    assert isinstance(number, Number)
    assert (number.number, number.tolerance, number.answer) == (0.5, 0.01, "0.5 litres")
    assert number.traps[0].number == 2


def test_lines_of_a_paragraph_are_joined(written):
    folded = "ask: >-\n      How much\n      is one half?"
    assert quiz.parse(written("ask: How much is one half?", folded)).questions[2].ask == "How much is one half?"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("title: Small & <new>", "title: [", "99_small.yaml is not YAML"),
        (
            "title: Small & <new>",
            "titel: x",
            "99_small.yaml has a field 'titel'; the fields here are title, q",
        ),
        ("title: Small & <new>\n", "", "99_small.yaml: 'title' must be a text; got None"),
        ("name: one", "name: One more", "question 1: 'name' is of small letters, digits and hyphens; got 'One more'"),
        ("name: several", "name: one", "two questions are called 'one'"),
        ("    ask: Which of these hold?\n", "", "question 2 (several): 'ask' must be a text; got None"),
        ("ask: Which of these hold?", "ask: Is $a right?", "'ask' opens a $formula$ or a `code` and does not close it"),
        ("    explanation: Only the second has it.\n", "", "question 1 (one): 'explanation' must be a text"),
        (
            "- right: The second, $x^2$.",
            "- wrong: The second.",
            "question 1 (one): 'options' needs two entries or m",
        ),
        ("- wrong: Q", "- maybe: Q", "question 2 (several), option 2 has a field 'maybe'"),
        ("- wrong: Q", "- wrong: P", "two entries of 'options' say the same"),
        ("- wrong: Q\n", "- \n", "question 2 (several), option 2 must begin with either 'right:' or 'wrong:'"),
        ("        because: Q is false.\n", "", "question 2 (several), option 2: 'because' must be a text; got None"),
        ("    number: 0.5\n", "", "question 3 (number) needs either 'options' to choose from or a 'number'"),
        ("number: 0.5", "number: half", "question 3 (number): 'number' must be a number such as 0.25; got 'half'"),
        ("number: 0.5", "number: .nan", "'number' must be a number"),
        ("tolerance: 0.01", "tolerance: -1", "'tolerance' is a distance and not below 0; got -1"),
        ("- number: 2", "- number: 0.51", "the trap 0.51 cannot be told from the answer 0.5 with 'tolerance' 0.01"),
        (
            "    traps:\n      - number: 2\n        because: This is the inverse.\n",
            "    traps: 2\n",
            "'traps' must be",
        ),
    ],
)
def test_a_mistake_in_a_file_is_named_with_file_question_and_field(written, old, new, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        quiz.parse(written(old, new))


def test_a_file_without_fields_is_refused(tmp_path):
    path = tmp_path / "99_list.yaml"
    path.write_text("- 1", encoding="utf-8")
    with pytest.raises(ValueError, match=r"99_list.yaml must hold fields such as 'name: value'; got \[1\]"):
        quiz.parse(path)


def test_a_lesson_without_questions_is_answered_with_those_that_have_some():
    with pytest.raises(ValueError, match=r"There are no questions for '77_none'\. There are some for 01_fgsm, 02_pgd"):
        quiz.read("77_none")


# What is shipped


def test_every_file_belongs_to_a_lesson():
    assert set(quiz.lessons()) <= {lesson.name for lesson in lessons.found()} - WITHOUT_QUESTIONS


@pytest.mark.parametrize("lesson", quiz.lessons())
def test_a_lesson_has_enough_questions_of_both_kinds(lesson):
    questions = quiz.read(lesson).questions
    assert len(questions) >= 8
    assert {type(question) for question in questions} == {Choice, Number}


def test_the_right_answer_cannot_be_guessed_from_its_place_or_length():
    """Of the questions with one right option of four: each letter between 15 and 35 %, the longest at most 40 %."""
    singles = [question for _, question in SHIPPED if isinstance(question, Choice) and not question.several]
    for place in "ABCD":
        assert 0.15 < sum(question.answer == place for question in singles) / len(singles) < 0.35
    longest = [max(question.options, key=lambda option: len(option.text)).right for question in singles]
    assert sum(longest) / len(singles) < 0.4


@pytest.mark.parametrize(("lesson", "question"), SHIPPED, ids=IDS)
def test_every_answer_is_explained_in_sentences(lesson, question):
    reasons = [entry.because for entry in (question.options if isinstance(question, Choice) else question.traps)]
    assert reasons, "a number needs the mistakes that are likely"
    for reason in [question.ask, question.explanation, *reasons]:
        assert len(reason.split()) >= 4 or "$" in reason
        assert reason[-1] in ".?$)"
    assert len(set(reasons)) == len(reasons)
