"""What texts tell of whole trainings was measured: each figure stands in the results, digit by digit."""

import re
from pathlib import Path

import pytest

from seminar_lib.lessons import found

ROOT = Path(__file__).parents[1]
MEASURED = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
SHARE = re.compile(r"\d+\.\d% (?:\[\d+\.\d%, \d+\.\d%\]|\(\d+\.\d% to \d+\.\d%\))")  # of one training, of several
APART = {  # measured on networks that were not kept, with surrogates as the lesson says
    "05_clead": ["92.2% [86.2%, 95.7%]", "82.8% [75.3%, 88.4%]"]
}


def not_measured(text):
    """The figures of a text that are not among the results; it must have some."""
    shares = SHARE.findall(" ".join(text.replace("\n# ", " ").split()))
    assert len(shares) > 5
    return [share for share in shares if share not in MEASURED]


def test_what_the_readme_says_of_the_measurements_was_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## What the measurements say\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)[1]
    assert not_measured(section) == []


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(4, 8)], ids=lambda one: one.name)
def test_what_lessons_say_of_whole_trainings_was_measured(lesson):
    assert not_measured(lesson.source.read_text(encoding="utf-8")) == APART.get(lesson.name, [])
