"""What is said to answers, and how they are marked."""

from itertools import combinations
from xml.etree import ElementTree as ET

import pytest

from seminar_lib.quiz import letter
from seminar_lib.quiz.markup import html


def test_a_wrong_option_is_told_its_own_reason_and_not_the_answer(small):
    verdict = small.questions[0].judge([0])
    assert not verdict.right
    assert verdict.words == ("It is the second.",)


def test_the_right_option_is_told_reason_and_explanation(small):
    verdict = small.questions[0].judge([1])
    assert verdict.right
    assert verdict.words == ("So it is.", "Only the second has it.")


@pytest.mark.parametrize("chosen", [set(c) for size in range(1, 6) for c in combinations(range(5), size)])
def test_of_several_exactly_the_right_ones_are_right(small, chosen):
    question = small.questions[1]
    verdict = question.judge(chosen)
    assert verdict.right == (chosen == {0, 2, 4})
    for place, option in enumerate(question.options):
        said = f"{letter(place)} {'holds' if option.right else 'does not hold'}: {option.because}" in verdict.words
        assert said == (place in chosen), "each chosen option is explained, and no other"


@pytest.mark.parametrize(("chosen", "words"), [([0], "2 more hold."), ([0, 2], "1 more holds.")])
def test_what_is_missing_is_counted_and_not_named(small, chosen, words):
    assert small.questions[1].judge(chosen).words[-1] == words


@pytest.mark.parametrize(("given", "right"), [(0.5, True), (0.49, True), (0.51, True), (0.489, False), (0.511, False)])
def test_the_tolerance_includes_its_ends(small, given, right):
    assert small.questions[2].judge(given).right == right


@pytest.mark.parametrize(
    ("given", "words"), [(2, "This is the inverse."), (0.1, "0.1 is too small."), (7, "7 is too large.")]
)
def test_a_wrong_number_is_told_its_mistake_or_its_side(small, given, words):
    assert small.questions[2].judge(given).words == (words,)


def test_the_right_options_earn_one_and_all_boxes_together_nothing(small):
    one, several = small.questions[:2]
    assert [one.credit(option) for option in one.options] == [0, 1]
    credits = [several.credit(option) for option in several.options]
    assert sum(credits) == pytest.approx(0)
    assert sum(credit for credit in credits if credit > 0) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("$a < b * c * d$", r"\(a &lt; b * c * d\)"),
        ("`x * y` and *two words*", "<code>x * y</code> and <em>two words</em>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("$a$ *b* $c$", r"\(a\) <em>b</em> \(c\)"),
    ],
)
def test_marks_become_html(text, shown):
    assert html(text) == shown
    ET.fromstring(f"<p>{shown}</p>")
