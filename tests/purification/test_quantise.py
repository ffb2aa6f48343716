"""Fewer grey levels: which are left, and how far a pixel moves."""

from seminar_lib.purification import Quantise


def test_few_grey_levels_are_left(x):
    rounded = Quantise(bits=2)(x)
    assert set((3 * rounded).flatten().round(decimals=5).tolist()) == {0, 1, 2, 3}
    assert (rounded - x).abs().max() <= 1 / 6 + 1e-6
