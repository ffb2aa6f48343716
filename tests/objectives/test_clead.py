"""C-LEAD as in its abstract: a loop over the definition, what remains without its parts, and the goal of its attack."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.objectives import CLEAD, Batch
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(4 / 255), steps=2, stop_when_fooled=False)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def naive(model, x, x_adv, y, objective):
    """One pair of embeddings at a time."""
    z = torch.cat([model.project(x), model.project(x_adv)])
    kind = y.tolist() * 2 if objective.labels else list(range(len(y))) * 2
    total = 0.0
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if kind[p] == kind[i]]
        everyone = sum((z[i] @ z[a] / objective.temperature).exp() for a in others)
        logs = [((z[i] @ z[p] / objective.temperature).exp() / everyone).log() for p in positives]
        total = total - sum(logs) / len(logs) / len(z)
    likelihoods = [model(images).softmax(1)[torch.arange(len(y)), y] for images in (x, x_adv)]
    return sum(-likelihood.log().mean() for likelihood in likelihoods) + objective.weight * total


@pytest.mark.parametrize("labels", [False, True], ids=["NT-Xent", "SupCon"])
def test_it_is_the_loop_over_its_definition(labels, tiny, x, y):
    objective = CLEAD(ATTACK, weight=0.7, temperature=0.2, labels=labels)
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    loss = sum(objective.terms(tiny, batch).values())
    expected = naive(tiny, x, batch.x_adv, y, objective)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(
        *(torch.autograd.grad(one, list(tiny.parameters())) for one in (loss, expected)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_with_weight_zero_it_is_clean_and_adversarial_cross_entropy(tiny, x, y):
    objective = CLEAD(ATTACK, weight=0.0)
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    terms = objective.terms(tiny, batch)
    assert terms.keys() == {"clean", "adversarial"}
    torch.testing.assert_close(terms["clean"], F.cross_entropy(tiny(x), y))
    torch.testing.assert_close(terms["adversarial"], F.cross_entropy(tiny(batch.x_adv), y))


def test_without_labels_the_contrastive_term_does_not_know_them(tiny, x, y):
    objective = CLEAD(ATTACK)
    batch = objective.prepare(tiny.train(), Batch(x, y, generator=seeded()))
    terms = [objective.terms(tiny, batch._replace(y=labels))["contrastive"] for labels in (y, y.flip(0))]
    assert torch.equal(*terms)


def test_the_clean_images_alone_move_the_statistics(tiny, x, y):
    tiny.train()
    twin = deepcopy(tiny)
    CLEAD(ATTACK)(tiny, Batch(x, y))
    twin(x)
    assert all(map(torch.equal, tiny.buffers(), twin.buffers()))


@pytest.mark.parametrize("labels", [False, True], ids=["NT-Xent", "SupCon"])
def test_the_attack_can_climb_the_contrastive_term_too(labels, tiny, x, y):
    """Of what it finds then, that term and the whole loss say worse than of what fools the classifier alone."""
    attack = PGD(Linf(8 / 255), steps=10, stop_when_fooled=False)
    plain = CLEAD(attack, weight=5.0, temperature=0.1, labels=labels)
    both = replace(plain, attack_contrast=True)
    batches = [objective.prepare(tiny, Batch(x, y, generator=seeded())) for objective in (plain, both)]
    (fooled, left), goal = (batch.x_adv for batch in batches), both.goal(tiny, batches[0])
    assert goal(left).loss.mean() > goal(fooled).loss.mean()
    assert goal.second(left).loss.mean() > goal.second(fooled).loss.mean()
    assert goal(fooled).loss.requires_grad
    torch.testing.assert_close(goal(left).loss, goal.first(left).loss + 5 * goal.second(left).loss)
    assert not goal.second.crowd.z.requires_grad
