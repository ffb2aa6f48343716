"""What lessons tell of whole trainings was measured: the figure stands in the results, digit by digit."""

import re
from pathlib import Path

import pytest

from seminar_lib.lessons import found

MEASURED = (Path(__file__).parents[2] / "results" / "README.md").read_text(encoding="utf-8")
SHARE = re.compile(r"\d+\.\d% (?:\[\d+\.\d%, \d+\.\d%\]|\(\d+\.\d% to \d+\.\d%\))")  # of one training, of several
APART = {  # measured on networks that were not kept, with surrogates as the lesson says
    "05_clead": ["92.2% [86.2%, 95.7%]", "82.8% [75.3%, 88.4%]"]
}


@pytest.mark.parametrize("lesson", [one for one in found() if one.number in range(4, 8)], ids=lambda one: one.name)
def test_the_figures_of_whole_trainings_are_those_of_the_results(lesson):
    shares = SHARE.findall(" ".join(lesson.source.read_text(encoding="utf-8").replace("\n# ", " ").split()))
    assert len(shares) > 5
    assert [share for share in shares if share not in MEASURED] == APART.get(lesson.name, [])
