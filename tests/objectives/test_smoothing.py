"""The trainings for smoothing against loops over the draws, and without what sets each apart from training on noise."""

from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD, Attack
from seminar_lib.objectives import Batch, Consistency, CrossEntropy, NoiseTraining, SmoothAdv
from seminar_lib.threat import L2


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def step(objective, model, x, y):
    """The terms, and the gradient of their sum."""
    model = deepcopy(model)
    terms = objective(model, Batch(x, y, generator=seeded()))
    sum(terms.values()).backward()
    return terms, [p.grad for p in model.parameters() if p.grad is not None]


def assert_same_step(ours, theirs):
    (terms, grads), (others, other_grads) = ours, theirs
    assert [term.item() for term in terms.values() if term] == [term.item() for term in others.values()]
    assert all(map(torch.equal, grads, other_grads))


@dataclass(frozen=True, repr=False)
class Still(Attack):
    """An attack of zero steps."""

    def search(self, goal, x, generator=None):
        return x


def test_without_a_step_smoothadv_is_training_on_noise(tiny, x, y):
    tiny.train()
    still = SmoothAdv(Still(L2(0.5)), sigma=0.25, samples=3)
    assert_same_step(step(still, tiny, x, y), step(NoiseTraining(0.25, samples=3), tiny, x, y))


def test_without_its_weights_consistency_is_training_on_noise(tiny, x, y):
    tiny.train()
    plain = Consistency(0.25, samples=3, weight=0.0, entropy=0.0)
    assert_same_step(step(plain, tiny, x, y), step(NoiseTraining(0.25, samples=3), tiny, x, y))


def test_without_noise_training_on_noise_is_standard_training(tiny, x, y):
    tiny.train()
    assert_same_step(step(NoiseTraining(0.0), tiny, x, y), step(CrossEntropy(), tiny, x, y))


def test_without_noise_all_copies_agree(tiny, x, y):
    terms = Consistency(0.0)(tiny, Batch(x, y))
    assert terms["consistency"].item() == pytest.approx(0, abs=1e-5)
    p = tiny(x).softmax(1)
    torch.testing.assert_close(terms["entropy"], 0.5 * -(p * p.log()).sum(1).mean())


def test_training_on_noise_is_the_loop_over_the_draws(tiny, x, y):
    objective = NoiseTraining(0.25, samples=3)
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    losses = [F.cross_entropy(tiny(x + batch.noise[:, i]), y) for i in range(3)]
    torch.testing.assert_close(objective.terms(tiny, batch)["noisy"], sum(losses) / 3)


def test_the_noise_has_its_deviation_and_is_new_for_each_copy_of_each_image(tiny):
    x = torch.rand(200, 3, 8, 8)
    noise = NoiseTraining(0.12, samples=2).prepare(tiny, Batch(x, torch.zeros(200).long(), generator=seeded())).noise
    assert noise.std().item() == pytest.approx(0.12, rel=0.02)
    assert abs(noise.mean().item()) < 0.002
    assert len(noise.flatten(0, 1).flatten(1).unique(dim=0)) == 400


def test_consistency_is_the_loop_of_the_paper(tiny, x, y):
    """The released code's arithmetic: probabilities, their average, and divergences from it, copy by copy."""
    objective = Consistency(0.25, samples=3, weight=20.0, entropy=0.5)
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    p = [tiny(x + batch.noise[:, i]).softmax(1) for i in range(3)]
    average = sum(p) / 3
    apart = sum((average * (average.log() - each.log())).sum(1) for each in p) / 3
    terms = objective.terms(tiny, batch)
    torch.testing.assert_close(terms["consistency"], 20 * apart.mean(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(terms["entropy"], 0.5 * -(average * average.log()).sum(1).mean())
    torch.testing.assert_close(terms["noisy"], -sum(each.log().gather(1, y[:, None]).mean() for each in p) / 3)


def test_the_attack_climbs_the_average_that_the_terms_then_see(tiny, x, y):
    """One step of the paper's attack, by hand; the draws are those of the terms."""
    attack = PGD(L2(0.5), steps=1, step_size=0.25, random_start=False, stop_when_fooled=False)
    objective = SmoothAdv(attack, samples=3)
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    leaf = x.clone().requires_grad_()
    average = sum(tiny(leaf + batch.noise[:, i]).softmax(1) for i in range(3)) / 3
    loss = F.nll_loss(average.log(), y, reduction="sum")
    (grad,) = torch.autograd.grad(loss, leaf)
    moved = (x + 0.25 * grad / grad.flatten(1).norm(dim=1)[:, None, None, None]).clamp(0, 1)
    after = sum(tiny(moved + batch.noise[:, i]).softmax(1) for i in range(3)) / 3
    better = F.nll_loss(after.log(), y, reduction="none") > F.nll_loss(average.log(), y, reduction="none")
    assert better.float().mean() > 0.5
    torch.testing.assert_close(batch.x_adv, torch.where(better[:, None, None, None], moved, x))
    expected = sum(F.cross_entropy(tiny(batch.x_adv + batch.noise[:, i]), y) for i in range(3)) / 3
    torch.testing.assert_close(objective.terms(tiny, batch)["adversarial"], expected)
