"""A share and its interval, against the formula of the paper."""

import pytest
import torch

from seminar_lib.evaluation import Accuracy


@pytest.mark.parametrize(("k", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (873, 1000), (1, 1)])
def test_the_interval_is_wilsons(k, n):
    z, p = 1.959963984540054, k / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    a = Accuracy.of(torch.arange(n) < k)
    assert (a.accuracy, a.n) == (p, n)
    assert (a.low, a.high) == pytest.approx((middle - half, middle + half), abs=1e-9)


def test_accuracy_prints_in_percent():
    assert str(Accuracy(0.5, 0.4, 0.6, 10)) == "50.0% [40.0%, 60.0%]"
