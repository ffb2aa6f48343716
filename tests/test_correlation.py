"""LISArD's correlations, against a loop, another library, and the views for which they are known."""

import math

import pytest
import torch
from scipy.linalg import hadamard
from torch import Tensor
from torch.autograd import grad

from seminar_lib.correlation import cross_correlation


@pytest.fixture
def views() -> tuple[Tensor, Tensor]:
    """Two views in double precision that agree in part; the features differ in place and scale."""
    z = torch.randn(10, 4, dtype=torch.float64)
    z2 = z + torch.randn(10, 4, dtype=torch.float64)
    return z * 3 + 1, z2 * torch.tensor([1.0, 2.0, 5.0, 0.5]) - 2


def naive(z: Tensor, z2: Tensor, weight: float) -> Tensor:
    """Word for word, one pair of features at a time; the 1e-5 is BatchNorm's."""

    def standardised(column):
        mean = sum(column) / len(column)
        variance = sum((value - mean) ** 2 for value in column) / len(column)
        return [(value - mean) / (variance + 1e-5).sqrt() for value in column]

    first, second = ([standardised(column.unbind()) for column in view.T] for view in (z, z2))
    loss = 0
    for i, left in enumerate(first):
        for j, right in enumerate(second):
            correlation = sum(a * b for a, b in zip(left, right, strict=True)) / len(left)
            loss = loss + ((correlation - 1) ** 2 if i == j else weight * correlation**2)
    return loss


@pytest.mark.parametrize("weight", [0, 0.0051, 1, 3])
def test_it_is_the_loop_over_its_definition(weight, views):
    found = cross_correlation(*(view.float() for view in views), weight)
    torch.testing.assert_close(found.double(), naive(*views, weight), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(cross_correlation(*views, weight), naive(*views, weight), rtol=1e-10, atol=1e-10)


def test_its_gradient_is_the_loops(views):
    views = [view.requires_grad_() for view in views]
    expected = grad(naive(*views, 0.0051), views)
    torch.testing.assert_close(grad(cross_correlation(*views), views), expected, rtol=1e-9, atol=1e-10)
    single = [view.detach().float().requires_grad_() for view in views]
    found = grad(cross_correlation(*single), single)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, check_dtype=False)


def test_it_agrees_with_lightly(views):
    theirs = pytest.importorskip("lightly.loss").BarlowTwinsLoss(0.0051)
    views = [view.float().requires_grad_() for view in views]
    found, expected = cross_correlation(*views), theirs(*views)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(grad(found, views), grad(expected, views), rtol=1e-4, atol=1e-5)


# Four features of eight images that are +1 as often as -1, and orthogonal.
DECORRELATED = torch.tensor(hadamard(8)[:, 1:5])


def test_equal_views_with_independent_features_cost_nothing():
    z = DECORRELATED.double()
    assert cross_correlation(z, z) < 1e-9
    torch.testing.assert_close(cross_correlation(z, 100 * z + 7).item(), 0.0, rtol=0, atol=1e-9)


def test_opposite_views_cost_four_a_feature():
    """(-1 - 1)^2 on the diagonal."""
    z = DECORRELATED.double()
    torch.testing.assert_close(cross_correlation(z, -z).item(), 4 * 4.0, rtol=1e-4, atol=0)


def test_a_repeated_feature_costs_the_weight():
    z = DECORRELATED[:, [0, 0, 1, 2]].double()  # C_01 = C_10 = 1
    torch.testing.assert_close(cross_correlation(z, z, 0.3).item(), 2 * 0.3, rtol=1e-4, atol=0)


def test_collapsed_embeddings_cost_one_a_feature():
    z = torch.ones(8, 4, requires_grad=True)
    loss = cross_correlation(z, z)
    torch.testing.assert_close(loss.item(), 4.0)
    assert grad(loss, z)[0].isfinite().all()


def test_the_size_of_the_batch_does_not_matter(views):
    """It would if C were divided by a nominal size."""
    twice = [torch.cat([view, view]) for view in views]
    torch.testing.assert_close(cross_correlation(*twice), cross_correlation(*views))


def test_neither_order_nor_the_choice_of_the_first_view_matter(views):
    images, features = torch.randperm(10), torch.randperm(4)
    moved = [view[images][:, features] for view in views]
    torch.testing.assert_close(cross_correlation(*moved), cross_correlation(*views))
    torch.testing.assert_close(cross_correlation(*reversed(views)), cross_correlation(*views))


def test_autocast_changes_nothing(views):
    views = [view.float() for view in views]
    with torch.autocast("cpu", torch.bfloat16):
        found = cross_correlation(*views)
    assert torch.equal(found, cross_correlation(*views))
    half = [view.bfloat16() for view in views]
    assert torch.equal(cross_correlation(*half), cross_correlation(*(view.float() for view in half)))


Z = torch.eye(8)
BAD = {
    "one image": (lambda: cross_correlation(Z[:1], Z[:1]), "needs at least two images; got a batch of one. Leave out"),
    "no images": (lambda: cross_correlation(Z[:0], Z[:0]), "got shapes (0, 8) and (0, 8)"),
    "other images": (
        lambda: cross_correlation(Z, Z[:4]),
        "two views of the same images, row by row; got shapes (8, 8)",
    ),
    "other features": (lambda: cross_correlation(Z, Z[:, :4]), "got shapes (8, 8) and (8, 4). Embed both views"),
    "feature maps": (lambda: cross_correlation(Z[None], Z[None]), "got shapes (1, 8, 8)"),
    "weight negative": (lambda: cross_correlation(Z, Z, -1.0), "is finite and 0 or more; got -1.0"),
    "weight NaN": (lambda: cross_correlation(Z, Z, math.nan), "got nan"),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_answered_with_a_sentence(call, words):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        call()
    assert words in str(caught.value)
