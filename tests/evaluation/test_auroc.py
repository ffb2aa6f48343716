"""AUROC: scikit-learn's area, an interval that holds what it promises, and a width even where nothing overlaps."""

import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from seminar_lib.evaluation import AUROC


@pytest.mark.parametrize(("m", "n"), [(1, 1), (30, 30), (50, 7)])
@pytest.mark.parametrize("levels", [3, 1000], ids=["ties", "hardly any"])
def test_the_area_is_that_of_scikit_learn(m, n, levels):
    clean, attacked = (torch.randn(m) * levels).round(), (torch.randn(n) * levels + levels / 2).round()
    expected = roc_auc_score([0] * m + [1] * n, torch.cat([clean, attacked]).numpy())
    found = AUROC.of(clean, attacked)
    assert found.auroc == pytest.approx(expected)
    assert 0 <= found.low <= found.auroc <= found.high <= 1
    assert (found.clean, found.attacked) == (m, n)


@pytest.mark.parametrize("shift", [0.0, 0.8, 2.2])
def test_the_interval_holds_the_true_area_as_often_as_it_says(shift):
    """Two normal distributions, whose area is a formula: 0.5, 0.71 and 0.94."""
    true = norm.cdf(shift / 2**0.5)
    runs = [AUROC.of(torch.randn(40), torch.randn(25) + shift) for _ in range(200)]
    held = sum(run.low <= true <= run.high for run in runs) / len(runs)
    assert held > 0.9  # 0.95, less three standard errors


@pytest.mark.parametrize(("m", "n"), [(6, 6), (4, 9)])
def test_each_end_is_so_many_of_its_own_deviations_away(m, n):
    """The variance of Hanley & McNeil 1982, where Newcombe puts the mean of m and n in place of each."""
    found = AUROC.of(torch.randn(m), torch.randn(n) + 0.5)
    size = (m + n) / 2
    for end in (found.low, found.high):
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)
        variance = (end * (1 - end) + (size - 1) * (q1 + q2 - 2 * end**2)) / (m * n)
        assert abs(found.auroc - end) == pytest.approx(norm.ppf(0.975) * variance**0.5, rel=1e-5)


def test_turned_round_it_is_one_less():
    clean, attacked = torch.randn(20), torch.randn(30) + 1
    there, back = AUROC.of(clean, attacked), AUROC.of(attacked, clean)
    for ours, mirrored in ((there.auroc, back.auroc), (there.low, back.high), (there.high, back.low)):
        assert ours == pytest.approx(1 - mirrored)


def test_a_perfect_detector_on_few_images_may_be_imperfect():
    few, many = (AUROC.of(torch.zeros(n), torch.ones(n)) for n in (10, 1000))
    assert (few.auroc, few.high) == (many.auroc, many.high) == (1, 1)
    assert few.low < 0.9 < 0.99 < many.low < 1
    assert str(many) == f"1.000 [{many.low:.3f}, 1.000]"


def test_one_kind_alone_is_refused():
    with pytest.raises(ValueError, match="got 3 clean and 0 attacked"):
        AUROC.of(torch.rand(3), torch.rand(0))
