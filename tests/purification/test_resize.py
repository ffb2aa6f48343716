"""Shrunk at random: how far, to where, and by whose random numbers."""

import torch

from seminar_lib.purification import RandomResize


def test_an_image_is_shrunk_as_a_whole():
    """A white image on black: the brightness that is left is the square of the factor."""
    white = torch.ones(500, 1, 32, 32)
    left = RandomResize(0.5)(white).mean((1, 2, 3)).sqrt()
    assert left.min() > 0.5 - 0.02
    assert left.max() < 1 + 1e-6
    assert abs(left.mean() - 0.75) < 0.03  # uniform in [0.5, 1]: a standard error of 0.0065
    torch.testing.assert_close(RandomResize(1.0)(white), white)


def test_a_slope_gets_steeper_by_the_factor_and_starts_where_the_image_was_put():
    """On a slope bilinear reading is exact: inside, each image is another slope, whose two numbers tell the draw."""
    x = torch.linspace(0.25, 0.75, 33, dtype=torch.float64).diff().cumsum(0).expand(200, 1, 32, 32)
    shrunk = RandomResize(0.8)(x)
    inner = shrunk[:, 0, 8:24, 8:24]  # inside the image wherever four fifths of it are put
    steepness = inner.diff(dim=2) / (0.5 / 32)
    torch.testing.assert_close(steepness, steepness[:, :1, :1].expand_as(steepness))
    factor = 1 / steepness[:, 0, 0]
    assert 0.8 - 1e-9 <= factor.min() < 0.81
    assert 0.99 < factor.max() <= 1 + 1e-9
    middle = (inner[:, 0, 7] + inner[:, 0, 8]) / 2  # what is read at the middle of the ground: shift (factor - 1) place
    shift = (middle - x[0, 0, 0, 15:17].mean()) / 0.25 / (1 / factor - 1)
    assert shift.abs().max() <= 1 + 1e-6
    assert shift.min() < -0.9
    assert shift.max() > 0.9
