"""Names on a map, moved up and down until none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

ROUNDS = 50  # of pushing; a crowd that has not come apart by then stays as it is


def keep_apart(boxes: Sequence[tuple[float, float, float, float]]) -> list[float]:
    """How far to move each box along the second axis, so that none covers another; those that are free stay.

    Args:
        boxes: (left, low, right, high) of each name, in any unit.
    """
    shifts = [0.0 for _ in boxes]
    for _, (a, b) in product(range(ROUNDS), combinations(range(len(boxes)), 2)):
        (left, low, right, high), (left2, low2, right2, high2) = boxes[a], boxes[b]
        overlap = min(high + shifts[a], high2 + shifts[b]) - max(low + shifts[a], low2 + shifts[b])
        if overlap > 0 and min(right, right2) > max(left, left2):
            onwards = 0.5 * overlap if low + shifts[a] >= low2 + shifts[b] else -0.5 * overlap
            shifts[a] += onwards
            shifts[b] -= onwards
    return shifts
