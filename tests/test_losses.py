"""The losses of attacks, against loops and the properties that name them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seminar_lib.losses import cross_entropy, dlr, margin, rival_dlr, rival_margin

LOSSES = [cross_entropy, margin, dlr]


def logits_and_labels(classes: int = 4) -> st.SearchStrategy[tuple[torch.Tensor, torch.Tensor]]:
    """A batch of three."""
    row = st.lists(st.integers(-1000, 1000), min_size=classes, max_size=classes, unique=True)
    rows = st.lists(row, min_size=3, max_size=3).map(lambda values: torch.tensor(values) / 100)
    labels = st.lists(st.integers(0, classes - 1), min_size=3, max_size=3).map(torch.tensor)
    return st.tuples(rows, labels)


def naive_cross_entropy(z, label):
    return -math.log(math.exp(z[label]) / sum(math.exp(other) for other in z))


def naive_margin(z, label):
    return max(other for j, other in enumerate(z) if j != label) - z[label]


def naive_dlr(z, label):
    first, _, third, *_ = sorted(z, reverse=True)
    return naive_margin(z, label) / (first - third)


@pytest.mark.parametrize(
    ("loss", "naive"), [(cross_entropy, naive_cross_entropy), (margin, naive_margin), (dlr, naive_dlr)]
)
@given(batch=logits_and_labels())
def test_loss_is_the_loop_over_its_definition(loss, naive, batch):
    logits, y = batch
    expected = torch.tensor([naive(z, label) for z, label in zip(logits.tolist(), y.tolist(), strict=True)])
    torch.testing.assert_close(loss(logits, y), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("loss", [rival_margin, rival_dlr], ids=repr)
@given(batch=logits_and_labels(), rival=st.integers(1, 3))
def test_a_rivals_loss_is_the_loop_over_its_definition(loss, rival, batch):
    logits, y = batch
    rivals = (y + rival) % 4
    for z, label, other, found in zip(
        logits.tolist(), y.tolist(), rivals.tolist(), loss(logits, y, rivals), strict=True
    ):
        first, _, third, fourth = sorted(z, reverse=True)
        scale = first - (third + fourth) / 2 if loss is rival_dlr else 1
        assert math.isclose(found, (z[other] - z[label]) / scale, rel_tol=1e-4, abs_tol=1e-4)


def test_few_classes_leave_the_ratio_what_it_can_be():
    """Of three logits z_(4) is missing; of two nothing is left to divide by that is not the margin itself."""
    three, two = torch.tensor([[5.0, 2.0, 1.0]]), torch.tensor([[5.0, 2.0]])
    y, rival = torch.tensor([0]), torch.tensor([1])
    assert rival_dlr(three, y, rival).item() == (2 - 5) / (5 - 1)
    assert rival_dlr(two, y, rival).item() == dlr(two, y).item() == 2 - 5


@given(batch=logits_and_labels())
def test_the_margin_is_the_best_rivals(batch):
    logits, y = batch
    rivals = torch.stack([rival_margin(logits, y, (y + shift) % 4) for shift in (1, 2, 3)])
    assert torch.equal(rivals.amax(0), margin(logits, y))


@pytest.mark.parametrize("loss", [margin, dlr], ids=repr)
@given(batch=logits_and_labels())
def test_loss_is_positive_exactly_when_the_model_is_wrong(loss, batch):
    logits, y = batch
    assert torch.equal(loss(logits, y) > 0, logits.argmax(1) != y)


@given(batch=logits_and_labels(), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_dlr_knows_neither_scale_nor_shift(batch, scale, shift):
    logits, y = (part.double() if part.is_floating_point() else part for part in batch)
    torch.testing.assert_close(dlr(scale * logits + shift, y), dlr(logits, y), rtol=1e-6, atol=1e-6)


def test_dlr_of_equal_logits_is_finite():
    assert torch.equal(dlr(torch.zeros(2, 3), torch.tensor([0, 1])), torch.zeros(2))


def test_cross_entropy_goes_blind_where_the_margin_still_sees():
    """The scar behind the choice of losses: at a margin of 200 the gradient of cross-entropy is exactly zero."""
    logits = torch.tensor([[200.0, 0.0, -1.0]])
    slopes = {}
    for loss in LOSSES:
        z = logits.clone().requires_grad_()
        loss(z, torch.tensor([0])).sum().backward()
        slopes[loss] = z.grad.abs().sum().item()
    assert slopes[cross_entropy] == 0
    assert slopes[margin] == 2
    assert slopes[dlr] > 0


@pytest.mark.parametrize("loss", [*LOSSES, rival_margin, rival_dlr], ids=repr)
def test_a_loss_prints_as_its_name(loss):
    assert eval(repr(loss)) is loss
    assert loss.__doc__
