"""Learning-rate schedules at the points that define them."""

import re

import pytest

from seminar_lib.schedules import Cosine, Drops, OneCycle


def test_one_cycle_is_a_triangle():
    schedule = OneCycle(peak=0.25)
    points = {0: 0, 0.125: 0.5, 0.25: 1, 0.625: 0.5, 1: 0}
    assert [schedule(progress) for progress in points] == pytest.approx(list(points.values()))


def test_a_cosine_rises_in_a_line_and_falls_to_its_floor():
    schedule = Cosine(warmup=0.2, floor=0.1)
    points = {0: 0, 0.1: 0.5, 0.2: 1, 0.4: 0.1 + 0.45 * (1 + 0.5**0.5), 0.6: 0.55, 1: 0.1}
    assert [schedule(progress) for progress in points] == pytest.approx(list(points.values()))
    assert Cosine()(0) == 1


def test_drops_can_halve():
    assert [Drops(at=(0.3, 0.6), factor=0.5)(progress) for progress in (0.2, 0.5, 0.9)] == [1, 0.5, 0.25]


def test_drops_divide_by_ten():
    schedule = Drops(at=(0.5, 0.75))
    points = {0: 1, 0.49: 1, 0.5: 0.1, 0.74: 0.1, 0.75: 0.01, 1: 0.01}
    assert [schedule(progress) for progress in points] == pytest.approx(list(points.values()))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (lambda: OneCycle(1.0), "0 <= peak < 1; got peak=1.0"),
        (lambda: OneCycle(-0.1), "got peak=-0.1"),
        (lambda: Cosine(warmup=1.0), "0 <= warmup < 1; got warmup=1.0"),
        (lambda: Cosine(warmup=float("nan")), "got warmup=nan"),
        (lambda: Drops(at=0.5), "such as at=(0.5, 0.75); got at=0.5"),
        (lambda: Drops(at=(5, 8)), "got at=(5, 8)"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(schedule, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        schedule()
