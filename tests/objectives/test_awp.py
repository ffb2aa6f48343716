"""Adversarial weight perturbation against the authors' procedure: move the weights, take the gradient, move back."""

from copy import deepcopy

import pytest
import torch

from seminar_lib.attacks import PGD
from seminar_lib.objectives import AWP, MART, TRADES, AdversarialTraining, Batch, CrossEntropy
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(4 / 255), steps=2, stop_when_fooled=False)
OBJECTIVES = [CrossEntropy(), AdversarialTraining(ATTACK), TRADES(ATTACK), MART(ATTACK)]
wrapped = pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: type(objective).__name__)
GAMMA = 0.02


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def total(terms) -> torch.Tensor:
    return torch.stack(list(terms.values())).sum()


def step(objective, model, batch):
    """The terms, the gradient that each parameter is left with, and the buffers afterwards."""
    terms = objective(model, batch)
    total(terms).backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return terms, gradients, dict(model.named_buffers())


def climbed(objective, model, batch, gamma):
    """A copy of the model at its adversarial weights, found as in the authors' code: a proxy takes a step."""
    proxy, moved = deepcopy(model), deepcopy(model)
    (-total(objective.terms(proxy, batch))).backward()
    torch.optim.SGD(proxy.parameters(), lr=100.0).step()  # theirs is short; its length cancels, but not its rounding
    with torch.no_grad():
        for name, w in moved.named_parameters():
            diff = proxy.get_parameter(name) - w
            if "weight" in name and w.dim() > 1:
                w += gamma * diff * w.norm() / (diff.norm() + 1e-20)
    return moved


@wrapped
def test_it_is_the_procedure_of_the_authors(objective, tiny, x, y):
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    moved = climbed(objective, tiny, batch, GAMMA)
    terms, gradients, buffers = step(AWP(objective, GAMMA), tiny, Batch(x, y, generator=seeded()))
    expected = objective.terms(moved, batch)
    total(expected).backward()
    assert terms.keys() == expected.keys()
    for name, term in terms.items():
        torch.testing.assert_close(term, expected[name], rtol=1e-5, atol=1e-6)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, moved.get_parameter(name).grad, rtol=1e-3, atol=1e-5)
    for name, buffer in buffers.items():
        torch.testing.assert_close(buffer, moved.get_buffer(name))


@wrapped
def test_with_gamma_zero_a_step_is_that_of_the_objective(objective, tiny, x, y):
    tiny.train()
    steps = [
        step(one, deepcopy(tiny), Batch(x, y, generator=seeded())) for one in (AWP(objective, gamma=0.0), objective)
    ]
    for ours, theirs in zip(*steps, strict=True):
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(ours[name], value) for name, value in theirs.items())


@wrapped
def test_it_goes_up_and_only_as_far_as_gamma_says(objective, tiny, x, y):
    seen = []
    tiny.train().register_forward_pre_hook(lambda model, _: seen.append(dict(model.named_parameters())))
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    plain = total(objective.terms(tiny, batch))
    assert total(AWP(objective, GAMMA).terms(tiny, batch)) > plain
    for name, w in tiny.named_parameters():
        moved = (seen[-1][name] - w).norm().item()
        used = w.dim() > 1 and not name.startswith("projector")
        assert moved == pytest.approx(GAMMA * w.norm().item() if used else 0, rel=1e-3)


def test_the_step_of_the_optimiser_starts_from_where_the_weights_were(tiny, x, y):
    """As the authors' moving there and back around it: w' = (w + v) - rate * gradient at (w + v) - v."""
    objective = AdversarialTraining(ATTACK)
    batch = objective.prepare(tiny.train(), Batch(x, y))
    moved = climbed(objective, tiny, batch, GAMMA)
    v = {name: moved.get_parameter(name).detach() - w.detach() for name, w in tiny.named_parameters()}
    for model, one in ((tiny, AWP(objective, GAMMA)), (moved, objective)):
        total(one.terms(model, batch)).backward()
        torch.optim.SGD(model.parameters(), lr=0.1).step()
    for name, w in tiny.named_parameters():
        torch.testing.assert_close(w, moved.get_parameter(name) - v[name], rtol=1e-4, atol=1e-5)


def test_weights_that_stand_still_are_not_moved(tiny, x, y):
    tiny.head.weight.requires_grad_(False)
    seen = []
    tiny.register_forward_pre_hook(lambda model, _: seen.append(model.head.weight))
    total(AWP(CrossEntropy(), GAMMA)(tiny, Batch(x, y))).backward()
    assert all(torch.equal(weight, tiny.head.weight) for weight in seen)
    assert tiny.head.weight.grad is None


def test_an_interruption_leaves_the_weights_where_they_were(tiny, x, y):
    before = deepcopy(tiny.train().state_dict())
    looks = iter(range(2))

    def interrupt(model, inputs):
        if next(looks) == 1:  # the look at the adversarial weights
            raise KeyboardInterrupt

    tiny.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        AWP(CrossEntropy(), GAMMA)(tiny, Batch(x, y))
    assert all(torch.equal(value, before[name]) for name, value in tiny.state_dict().items())
    assert all(isinstance(p, torch.nn.Parameter) and p.grad is None for p in tiny.parameters())


def test_it_wraps_itself(tiny, x, y):
    once, twice = AWP(CrossEntropy(), GAMMA), AWP(AWP(CrossEntropy(), GAMMA), GAMMA)
    tiny.train()
    assert total(twice(tiny, Batch(x, y))) > total(once(tiny, Batch(x, y)))
