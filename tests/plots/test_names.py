"""Names come apart by the least, and those that are free stay."""

from itertools import combinations

import pytest

from seminar_lib.plots.names import keep_apart


def test_names_that_are_free_stay():
    assert keep_apart([(0, 0, 10, 2), (20, 0, 30, 2), (0, 3, 10, 5)]) == [0, 0, 0]
    assert keep_apart([]) == []


def test_two_names_share_the_way_and_keep_their_order():
    assert keep_apart([(0, 0, 10, 2), (5, 1, 15, 3)]) == pytest.approx([-0.5, 0.5])
    assert keep_apart([(5, 1, 15, 3), (0, 0, 10, 2)]) == pytest.approx([0.5, -0.5])


def test_a_crowd_comes_apart():
    boxes = [(0, 0.1 * place, 10, 2 + 0.1 * place) for place in range(5)]
    shifts = keep_apart(boxes)
    moved = [(low + shift, high + shift) for (_, low, _, high), shift in zip(boxes, shifts, strict=True)]
    assert all(min(a[1], b[1]) - max(a[0], b[0]) < 0.05 for a, b in combinations(moved, 2))
