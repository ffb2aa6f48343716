"""Learning-rate schedules at the points that define them."""

import pytest

from seminar_lib.schedules import Drops, OneCycle


def test_one_cycle_is_a_triangle():
    schedule = OneCycle(peak=0.25)
    points = {0: 0, 0.125: 0.5, 0.25: 1, 0.625: 0.5, 1: 0}
    assert [schedule(progress) for progress in points] == pytest.approx(list(points.values()))


def test_drops_divide_by_ten():
    schedule = Drops(at=(0.5, 0.75))
    points = {0: 1, 0.49: 1, 0.5: 0.1, 0.74: 0.1, 0.75: 0.01, 1: 0.01}
    assert [schedule(progress) for progress in points] == pytest.approx(list(points.values()))
