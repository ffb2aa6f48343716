"""The shortest way to a hyperplane inside a box: against linear programming, bisection and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog

from seminar_lib.attacks.hyperplane import shortest_way
from seminar_lib.threat import L1, L2, Linf

THREATS = [Linf(), L2(), L1()]
every = pytest.mark.parametrize("threat", THREATS, ids=["Linf", "L2", "L1"])


def problem(seed: int, size: int = 12):
    """An image, some of whose values lie at 0 or 1, and a plane with slopes of very different sizes, some zero."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(0, 1, size).round(1)
    slope = draw.normal(size=size) * 10.0 ** draw.integers(-3, 2, size) * (draw.uniform(size=size) > 0.1)
    value = -draw.uniform(0, 1.2) * np.where(slope > 0, slope * (1 - x), -slope * x).sum()
    return x, value, slope


def ours(threat, x, value, slope):
    image, gradient = (torch.tensor(part).double().view(1, 3, 2, -1) for part in (x, slope))
    return shortest_way(threat, image, torch.tensor([value]).double(), gradient).flatten().numpy()


def reference(threat, x, value, slope):
    """The length of the shortest way; linear programs for Linf and L1, the optimality conditions for L2."""
    n = len(x)
    if isinstance(threat, L2):

        def way(multiplier):
            return np.clip(multiplier * slope, -x, 1 - x)

        root = brentq(lambda multiplier: value + slope @ way(multiplier), 0, 1e9, xtol=1e-14)
        return np.linalg.norm(way(root))
    eye = np.eye(n)
    bound = np.ones((n, 1)) if isinstance(threat, Linf) else eye  # |d_i| <= t, or |d_i| <= t_i
    lengths = bound.shape[1]
    cost = np.r_[np.zeros(n), np.ones(lengths)]
    limits = np.block([[eye, -bound], [-eye, -bound]])
    box = [*zip(-x, 1 - x, strict=True), *([(0, None)] * lengths)]
    plane = np.r_[slope, np.zeros(lengths)][None]
    return linprog(cost, limits, np.zeros(2 * n), plane, [-value], box).fun


@every
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_is_the_shortest_way_inside_the_box(threat, seed):
    x, value, slope = problem(seed)
    way = ours(threat, x, value, slope)
    assert (x + way >= -1e-12).all()
    assert (x + way <= 1 + 1e-12).all()
    most = np.where(slope > 0, slope * (1 - x), -slope * x).sum()
    if -value > most:  # the plane does not cut the box
        assert slope @ way == pytest.approx(most)
    else:
        assert value + slope @ way == pytest.approx(0, abs=1e-6 * most)
        length = {Linf: np.inf, L2: 2, L1: 1}[type(threat)]
        assert np.linalg.norm(way, length) == pytest.approx(reference(threat, x, value, slope), rel=1e-5, abs=1e-9)


@every
def test_the_other_side_is_the_mirror_image(threat):
    x, value, slope = problem(3)
    np.testing.assert_allclose(ours(threat, x, -value, -slope), ours(threat, x, value, slope))


@every
def test_on_the_plane_there_is_no_way_to_go(threat):
    x, _, slope = problem(4)
    assert not ours(threat, x, 0.0, slope).any()


@every
def test_a_flat_function_leads_nowhere(threat):
    x, _, slope = problem(5)
    assert not ours(threat, x, -1.0, 0 * slope).any()


@every
def test_of_3072_values_in_float32_the_plane_is_reached(threat):
    """ROUNDS is enough for real images and gradients with tails."""
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(16, 3, 32, 32, generator=draw)
    slope = torch.randn(16, 3, 32, 32, generator=draw) ** 3
    most = torch.where(slope > 0, slope * (1 - x), -slope * x).sum((1, 2, 3))
    for share in (0.01, 0.3, 0.9):
        way = shortest_way(threat, x, -share * most, slope)
        torch.testing.assert_close((slope * way).sum((1, 2, 3)), share * most, rtol=1e-4, atol=0)
