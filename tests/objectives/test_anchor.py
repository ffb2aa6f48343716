"""ANCHOR against a loop over its definition, and what is left of it when one part after the other is taken away."""

import math
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.contrastive import sup_con
from seminar_lib.data.augment import Augment
from seminar_lib.objectives import ANCHOR, AdversarialTraining, Batch
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(4 / 255), steps=2, stop_when_fooled=False)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def naive(model, first, second, x_adv, y, objective):
    """One pair of embeddings at a time."""
    z = torch.cat([model.project(first), model.project(second)])
    label = y.tolist() * 2
    total = 0.0
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if label[p] == label[i]]
        hardness = {p: math.exp(-objective.beta * (z[i] @ z[p]).item()) for p in positives}
        everyone = sum((z[i] @ z[a] / objective.temperature).exp() for a in others)
        for p in positives:
            share = (z[i] @ z[p] / objective.temperature).exp() / everyone
            total = total - hardness[p] / sum(hardness.values()) * share.log() / len(z)
    likelihood = model(x_adv).softmax(1)[torch.arange(len(y)), y]
    return -likelihood.log().mean() + objective.weight * total


def gradients(loss, model):
    return dict(zip(dict(model.named_parameters()), torch.autograd.grad(loss, list(model.parameters())), strict=True))


@pytest.mark.parametrize("beta", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("augment", [None, Augment(crop=1, flip=True)], ids=["adversarial view", "two augmented views"])
def test_it_is_the_loop_over_its_definition(augment, beta, tiny, x, y):
    objective = ANCHOR(ATTACK, weight=0.7, temperature=0.2, beta=beta, augment=augment)
    tiny.train()
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    second = batch.x_adv if augment is None else batch.view
    terms = objective.terms(tiny, batch)
    loss = terms["adversarial"] + terms["contrastive"]
    expected = naive(tiny, x, second, batch.x_adv, y, objective)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    ours, theirs = gradients(loss, tiny), gradients(expected, tiny)
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-5)


def test_with_beta_zero_it_is_sup_con_and_adversarial_cross_entropy(tiny, x, y):
    objective = ANCHOR(ATTACK, beta=0.0)
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    terms = objective.terms(tiny, batch)
    z = torch.cat([tiny.project(x), tiny.project(batch.x_adv)])
    torch.testing.assert_close(terms["contrastive"], sup_con(z, torch.cat([y, y]), 0.1).mean())
    torch.testing.assert_close(terms["adversarial"], F.cross_entropy(tiny(batch.x_adv), y))


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_without_its_contrastive_term_a_step_is_one_of_adversarial_training(weight, tiny, x, y):
    """To the bit, BatchNorm's statistics included; these stay the same with the term, too."""
    steps = []
    for objective in (ANCHOR(ATTACK, weight=weight), AdversarialTraining(ATTACK)):
        model = deepcopy(tiny).train()
        terms = objective(model, Batch(x, y, generator=seeded()))
        sum(terms.values()).backward()
        steps.append((terms, [p.grad for p in model.parameters()], dict(model.named_buffers())))
    (terms, grads, buffers), (expected, expected_grads, expected_buffers) = steps
    assert torch.equal(terms["adversarial"], expected["adversarial"])
    assert all(torch.equal(buffers[name], buffer) for name, buffer in expected_buffers.items())
    if weight == 0:
        assert terms.keys() == expected.keys()
        for ours, theirs in zip(grads, expected_grads, strict=True):
            assert ours is theirs is None or torch.equal(ours, theirs)


def test_the_contrastive_term_teaches_the_encoder_and_the_projector_and_not_the_classifier(tiny, x, y):
    ANCHOR(ATTACK)(tiny.train(), Batch(x, y))["contrastive"].backward()
    assert all(p.grad is None for p in tiny.head.parameters())
    assert all(p.grad.any() for part in (tiny.backbone, tiny.projector) for p in part.parameters())


def test_the_second_view_is_another_one_of_the_same_images(tiny, x, y):
    objective = ANCHOR(ATTACK, augment=Augment(crop=2))
    batch = objective.prepare(tiny, Batch(x, y, generator=seeded()))
    assert torch.equal(batch.x, x)
    assert not torch.equal(batch.view, x)
    plain = replace(objective, augment=None).prepare(tiny, Batch(x, y, generator=seeded()))
    assert torch.equal(batch.x_adv, plain.x_adv)
