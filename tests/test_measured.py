"""What texts tell of whole trainings was measured: each figure stands in the results, digit by digit."""

import re
from pathlib import Path

import pytest

from seminar_lib.lessons import found

ROOT = Path(__file__).parents[1]
MEASURED = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
SHARE = re.compile(r"\d+\.\d% (?:\[\d+\.\d%, \d+\.\d%\]|\(\d+\.\d% to \d+\.\d%\))")  # of one training, of several
PAIR = re.compile(r"(\d+), (\d+)(?: \(p = | \| )([\d.e+-]+)")  # images that one network alone keeps, and the other
# Measured on networks that were not kept: through surrogates as the lesson says, and image by image.
APART = {"05_clead": ["92.2% [86.2%, 95.7%]", "82.8% [75.3%, 88.4%]"]}
PAIRS_APART = {"05_clead": [("38", "36", "0.91")]}


def not_measured(text):
    """The figures of a text that are not among the results; it must have some."""
    shares = SHARE.findall(" ".join(text.replace("\n# ", " ").split()))
    assert len(shares) > 5
    return [share for share in shares if share not in MEASURED]


def pairs_not_measured(text):
    """Images kept by one of two networks alone, with their probability, that the results do not have."""
    measured = PAIR.findall(MEASURED)
    pairs = PAIR.findall(text)
    assert len(pairs) > 2
    return [pair for pair in pairs if not any(rounds_to(one, pair) for one in measured)]


def rounds_to(measured, told):
    """Whether the counts are the same, and the probability is, with the digits that are told of it."""
    digits = len(told[2].partition("e")[0].replace(".", "").lstrip("0"))
    return measured[:2] == told[:2] and float(f"{float(measured[2]):.{digits}g}") == float(told[2])


def test_what_the_readme_says_of_the_measurements_was_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## What the measurements say\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    assert not_measured(section) == []
    assert pairs_not_measured(section) == PAIRS_APART["05_clead"]


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(4, 8)], ids=lambda one: one.name)
def test_what_lessons_say_of_whole_trainings_was_measured(lesson):
    assert not_measured(lesson.source.read_text(encoding="utf-8")) == APART.get(lesson.name, [])


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(5, 8)], ids=lambda one: one.name)
def test_the_pairs_that_lessons_tell_of_were_counted(lesson):
    assert pairs_not_measured(lesson.source.read_text(encoding="utf-8")) == PAIRS_APART.get(lesson.name, [])


def test_a_wrong_count_and_a_wrong_probability_are_found():
    assert pairs_not_measured("10, 0 (p = 0.002), 16, 0 (p = 3e-5), 16, 0 (p = 2e-5), 17, 23 (p = 0.43)") == [
        ("16", "0", "2e-5"),
        ("17", "23", "0.43"),
    ]
