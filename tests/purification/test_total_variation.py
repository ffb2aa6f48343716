"""The smoothest image: beside solutions in closed form, and beside another solver's where the image is a line."""

import numpy as np
import pytest
import torch
from scipy.optimize import lsq_linear

from seminar_lib.purification import TotalVariation

LONG = 3000  # steps, for the minimum itself


def test_the_two_halves_of_an_image_move_towards_each_other():
    """An edge of length H costs weight * H for each unit of its height; it is worth lowering until the means have
    moved by 2 weight / W. The image stays two halves, so nothing else can be gained.
    """
    x = torch.full((1, 1, 6, 10), 0.2, dtype=torch.float64)
    x[..., 5:] = 0.9
    smooth = TotalVariation(0.3, drop=0.0, steps=LONG)(x)
    expected = torch.where(x < 0.5, x + 2 * 0.3 / 10, x - 2 * 0.3 / 10)
    torch.testing.assert_close(smooth, expected, atol=1e-4, rtol=0)


def test_with_a_large_weight_nothing_but_the_mean_is_left():
    x = torch.rand(2, 3, 6, 6, dtype=torch.float64)
    smooth = TotalVariation(100.0, drop=0.0, steps=LONG)(x)
    torch.testing.assert_close(smooth, x.mean((2, 3), keepdim=True).expand_as(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize("upright", [False, True])
def test_a_line_is_solved_as_a_quadratic_program(upright):
    """In one dimension the dual is a least-squares problem in a box, which scipy solves exactly. Between two pixels
    that are kept, those that are dropped cost nothing: the kept ones are solved as if they stood side by side.
    """
    x, weight = torch.rand(1, 1, 1, 40, dtype=torch.float64), 0.1
    image = x.transpose(2, 3) if upright else x
    purifier = TotalVariation(weight, drop=0.4, steps=LONG)
    smooth = purifier(image, torch.Generator().manual_seed(3)).flatten()
    kept = torch.rand(image.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(3)).flatten() >= 0.4
    assert 0 < kept.sum() < 40
    line = x.flatten()[kept].numpy()
    steps = np.diff(np.eye(len(line)), axis=0)
    flow = lsq_linear(steps.T, line, (-weight, weight), tol=1e-12).x
    torch.testing.assert_close(smooth[kept], torch.from_numpy(line - steps.T @ flow), atol=1e-3, rtol=0)


def test_a_dropped_pixel_does_not_count():
    x = torch.full((1, 1, 8, 8), 0.5)
    kept = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) >= 0.5
    soiled = torch.where(kept, x, torch.rand_like(x))
    torch.testing.assert_close(
        TotalVariation(steps=LONG)(soiled, torch.Generator().manual_seed(0)), x, atol=1e-4, rtol=0
    )


def test_more_steps_come_nearer_to_the_minimum(x):
    exact = TotalVariation(drop=0.0, steps=LONG)(x)
    near, far = ((TotalVariation(drop=0.0, steps=steps)(x) - exact).norm() for steps in (100, 10))
    assert near < far / 3
    assert (x - exact).norm() > 3 * far


def test_the_slope_is_finite_on_an_image_of_one_colour():
    x = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    TotalVariation()(x).sum().backward()
    assert x.grad.isfinite().all()
    assert abs(x.grad.sum() - 192) < 1  # a brighter image is as much brighter when it is smoothed


def test_the_gradient_is_that_of_small_differences():
    purifier, x = TotalVariation(steps=8), torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda image: purifier(image, torch.Generator().manual_seed(0)), x)
