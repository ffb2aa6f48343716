"""What texts tell of whole trainings was measured: each figure stands in the results, digit by digit."""

import re
from pathlib import Path

import pytest

from seminar_lib.lessons import found

ROOT = Path(__file__).parents[1]
MEASURED = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
SHARE = re.compile(r"\d+\.\d% (?:\[\d+\.\d%, \d+\.\d%\]|\(\d+\.\d% to \d+\.\d%\))")  # of one training, of several
SECONDS = re.compile(r"(\d+) s\b.*")  # of an epoch
PAIR = re.compile(r"(\d+), (\d+)(?: \(p = | \| )([\d.e+-]+)")  # images that one network alone keeps, and the other
# Counted on a network that was not kept.
PAIRS_APART = {"05_clead": [("38", "36", "0.91")]}


def not_measured(text):
    """The figures of a text that are not among the results; it must have some."""
    shares = SHARE.findall(" ".join(text.replace("\n# ", " ").split()))
    assert len(shares) > 5
    return [share for share in shares if share not in MEASURED]


def rows_not_measured(text):
    """The rows of a text's tables with figures that no single row of the results has, of another network for one."""
    told = [row for row in (figures(row) for row in rows(text)) if len(row) > 1]
    assert len(told) > 2
    measured = rows(MEASURED)
    return [row for row in told if not any(set(row) <= set(one) for one in measured)]


def rows(text):
    """The cells of each row of the tables, in a lesson's comments as well."""
    return [re.split(r"\s*\|\s*", row) for row in re.findall(r"^(?:# )?\| *(.*?) *\|$", text, re.MULTILINE)]


def figures(row):
    """Shares, and the seconds of an epoch without their unit."""
    shares, seconds = [cell for cell in row if SHARE.fullmatch(cell)], [SECONDS.fullmatch(cell) for cell in row]
    return [*shares, *(match[1] for match in seconds if match)]


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
    assert rows_not_measured(section) == []
    assert pairs_not_measured(section) == PAIRS_APART["05_clead"]


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(4, 8)], ids=lambda one: one.name)
def test_what_lessons_say_of_whole_trainings_was_measured(lesson):
    text = lesson.source.read_text(encoding="utf-8")
    assert not_measured(text) == []
    assert rows_not_measured(text) == []


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(5, 8)], ids=lambda one: one.name)
def test_the_pairs_that_lessons_tell_of_were_counted(lesson):
    assert pairs_not_measured(lesson.source.read_text(encoding="utf-8")) == PAIRS_APART.get(lesson.name, [])


def test_a_wrong_count_and_a_wrong_probability_are_found():
    assert pairs_not_measured("10, 0 (p = 0.002), 16, 0 (p = 3e-5), 16, 0 (p = 2e-5), 17, 23 (p = 0.43)") == [
        ("16", "0", "2e-5"),
        ("17", "23", "0.43"),
    ]


def test_figures_of_two_networks_in_one_row_and_another_recipe_s_seconds_are_found():
    clean, attacked = "99.3% (99.1% to 99.5%)", "61.9% (61.7% to 62.1%)"
    rest = f"| FGSM | 99.7% (99.6% to 99.8%) | {attacked} | 15 s |\n| AT | {clean} | {attacked} | 44 s |"
    assert rows_not_measured(f"| AT | {clean} | {attacked} | 34 s |\n{rest}") == [
        ["99.7% (99.6% to 99.8%)", attacked, "15"],
        [clean, attacked, "44"],
    ]
