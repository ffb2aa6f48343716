"""The bounds against sums of binomials, written out, and against scipy's own search for them."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from seminar_lib.smoothing.bounds import fewest_samples, largest_radius, lower_bound, probability, radius, upper_bound


def at_least(k: int, n: int, p: float) -> float:
    """P[Bin(n, p) >= k], term by term."""
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 9), (5, 9), (9, 9), (37, 60), (60, 60)])
def test_at_the_lower_bound_so_many_hits_have_probability_alpha(k, n, alpha):
    assert at_least(k, n, float(lower_bound(k, n, alpha))) == pytest.approx(alpha, rel=1e-9)
    assert 1 - at_least(n - k + 1, n, float(upper_bound(n - k, n, alpha))) == pytest.approx(alpha, rel=1e-9)


@pytest.mark.parametrize("n", [10, 1000, 100_000])
def test_both_are_those_that_scipy_searches_for(n):
    hits = np.unique(np.linspace(0, n, 12).astype(int))
    for bound, side in ((lower_bound, "greater"), (upper_bound, "less")):
        ends = [binomtest(int(k), n, alternative=side).proportion_ci(0.999, "exact") for k in hits]
        expected = [end.low if side == "greater" else end.high for end in ends]
        np.testing.assert_allclose(bound(hits, n, 0.001), expected, rtol=1e-8, atol=1e-12)


def test_no_hits_prove_nothing_and_neither_do_no_misses():
    assert lower_bound(0, 50, 0.01) == 0
    assert upper_bound(50, 50, 0.01) == 1


def test_the_radius_is_the_papers_and_zero_up_to_one_half():
    p = np.array([0.0, 0.3, 0.5, 0.8, 0.999])
    np.testing.assert_allclose(radius(p, 0.25), [0, 0, 0, *(0.25 * norm.ppf(p[3:]))], rtol=1e-12)
    assert probability(float(radius(0.8, 0.25)), 0.25) == pytest.approx(0.8)


@pytest.mark.parametrize(("n", "in_sigma"), [(1000, 2.46), (10_000, 3.20), (100_000, 3.81)])
def test_the_largest_radius_is_the_one_that_the_docstring_of_certify_names(n, in_sigma):
    assert largest_radius(n, 0.001, 0.5) == pytest.approx(0.5 * in_sigma, abs=0.005)


@pytest.mark.parametrize("alpha", [0.4, 0.05, 0.001, 2**-10])
@pytest.mark.parametrize("target", [0.0, 0.1, 0.25, 0.75])
def test_the_fewest_samples_certify_more_than_the_radius_and_one_fewer_do_not(alpha, target):
    n = fewest_samples(alpha, target, sigma=0.25)
    assert largest_radius(n, alpha, 0.25) > target
    assert n == 1 or largest_radius(n - 1, alpha, 0.25) <= target


def test_a_radius_beyond_any_number_of_samples_is_refused():
    with pytest.raises(ValueError, match=r"A radius of 40 sigma is out of reach .*take more noise"):
        fewest_samples(0.001, 10.0, 0.25)
