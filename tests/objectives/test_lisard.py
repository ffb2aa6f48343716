"""LISArD against a loop in the manner of its released code, and without one part or the other."""

import math
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seminar_lib.objectives import Batch, LISArD


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def naive(model, x, noisy, y, a):
    """The released code, entry by entry; its nominal batch size is that of the batch."""
    e1, e2 = model.embed(x), model.embed(noisy)
    count, features = e1.shape
    norm = nn.BatchNorm1d(features, affine=False)
    c = norm(e1).T @ norm(e2) / count
    on = sum((c[i, i] - 1) ** 2 for i in range(features))
    off = sum(c[i, j] ** 2 for i in range(features) for j in range(features) if i != j)
    classification = F.cross_entropy(model.head(e1), y) + F.cross_entropy(model.head(e2), y)
    return a * classification + (1 - a) * (on + 0.0051 * off) / 9000


def gradient(loss, model):
    parts = [*model.backbone.parameters(), *model.head.parameters()]
    return torch.cat([grad.flatten() for grad in torch.autograd.grad(loss, parts)])


@pytest.mark.parametrize("epoch", [0, 1, 100, 199])
def test_it_is_the_loop_of_the_released_code(epoch, tiny, x, y):
    """At the first step of an epoch, of 200."""
    tiny.train()
    objective = LISArD()
    batch = objective.prepare(tiny, Batch(x, y, progress=epoch / 200, generator=seeded()))
    loss = sum(objective.terms(tiny, batch).values())
    expected = naive(tiny, x, batch.view, y, a=0.5 + (epoch - 1) / 400)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient(loss, tiny), gradient(expected, tiny), rtol=1e-3, atol=1e-5)


def test_the_correlations_have_the_gradient_of_the_loop(tiny, x, y):
    """By themselves, as beside the cross-entropies they are too small to be seen."""
    objective = LISArD(weight=1.0, alpha=(0.0, 0.0))
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    loss = objective.terms(tiny, batch)["correlation"]
    expected = 9000 * naive(tiny, x, batch.view, y, a=0.0)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    ours, theirs = (torch.autograd.grad(term, list(tiny.backbone.parameters())) for term in (loss, expected))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("weight", [1 / 9000, 0.0])
def test_with_alpha_one_it_is_two_cross_entropies(weight, tiny, x, y):
    objective = LISArD(weight=weight, alpha=(1.0, 1.0))
    batch = objective.prepare(tiny.train(), Batch(x, y, 0.3, seeded()))
    loss = sum(objective.terms(tiny, batch).values())
    torch.testing.assert_close(loss, F.cross_entropy(tiny(x), y) + F.cross_entropy(tiny(batch.view), y))


def test_without_correlations_the_rest_is_the_same(tiny, x, y):
    tiny.train()
    with_it, without = (LISArD(weight=w)(deepcopy(tiny), Batch(x, y, 0.3, seeded())) for w in (1 / 9000, 0.0))
    correlation = with_it.pop("correlation")
    assert correlation > 0
    assert with_it.keys() == without.keys()
    assert all(torch.equal(with_it[name], without[name]) for name in without)


def test_one_image_has_no_correlations_and_all_the_rest(tiny, x, y):
    objective = LISArD(weight=1.0, alpha=(0.5, 0.5))
    batch = objective.prepare(tiny.train(), Batch(x[:1], y[:1], generator=seeded()))
    clean, noisy = (0.5 * F.cross_entropy(tiny(view), y[:1]) for view in (x[:1], batch.view))
    torch.testing.assert_close(objective.terms(tiny, batch), {"clean": clean, "noisy": noisy})


def test_the_noise_has_its_variance_and_leaves_the_box(tiny):
    x = torch.rand(500, 3, 8, 8)
    batch = LISArD().prepare(tiny, Batch(x, torch.zeros(500, dtype=torch.int64), generator=seeded()))
    noise = batch.view - x
    assert noise.var().item() == pytest.approx(8 / 255, rel=0.02)
    assert abs(noise.mean().item()) < 0.01
    assert batch.view.min() < 0
    assert batch.view.max() > 1
    assert torch.equal(batch.x, x)
    assert LISArD().sigma == math.sqrt(8 / 255)


def test_both_views_move_the_statistics_each_by_its_own(tiny, x, y):
    tiny.train()
    twin = deepcopy(tiny)
    objective = LISArD()
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    objective.terms(tiny, batch)
    twin.embed(x)
    twin.embed(batch.view)
    assert all(map(torch.equal, tiny.buffers(), twin.buffers()))
