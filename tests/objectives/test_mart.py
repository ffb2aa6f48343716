"""MART against a loop by hand, and at the edge of what float32 holds."""

import math

import pytest
import torch

from seminar_lib.attacks import PGD
from seminar_lib.objectives import MART, AdversarialTraining, Batch
from seminar_lib.objectives.mart import boosted_cross_entropy
from seminar_lib.threat import Linf

ATTACK = PGD(Linf(4 / 255), steps=3, stop_when_fooled=False)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def boosted(p, label):
    return -math.log(p[label]) - math.log(1 - max(q for k, q in enumerate(p) if k != label))


def test_the_terms_are_the_loop_of_the_paper(tiny, x, y):
    objective = MART(ATTACK, beta=2.5)
    batch = objective.prepare(tiny.train(), Batch(x, y))
    terms = objective.terms(tiny, batch)
    clean, adversarial = tiny(x).double().softmax(1).tolist(), tiny(batch.x_adv).double().softmax(1).tolist()
    bce, weighted = [], []
    for p, q, label in zip(clean, adversarial, y.tolist(), strict=True):
        bce.append(boosted(q, label))
        weighted.append(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) * (1 - p[label]))
    assert terms["adversarial"].item() == pytest.approx(sum(bce) / len(x), rel=1e-5)
    assert terms["divergence"].item() == pytest.approx(2.5 * sum(weighted) / len(x), rel=1e-5)


def test_its_images_are_those_of_adversarial_training(tiny, x, y):
    ours, theirs = (kind(ATTACK).prepare(tiny, Batch(x, y, generator=seeded())) for kind in (MART, AdversarialTraining))
    assert torch.equal(ours.x_adv, theirs.x_adv)


def test_the_gradients_are_those_of_the_authors_expression(tiny, x, y):
    """Through all three factors, the weight too. Their small constants play no part at ordinary logits."""
    objective = MART(ATTACK)
    batch = objective.prepare(tiny, Batch(x, y))
    weights = [w for name, w in tiny.named_parameters() if not name.startswith("projector")]
    ours = torch.autograd.grad(torch.stack(list(objective.terms(tiny, batch).values())).sum(), weights)
    p, q = tiny(x).softmax(1), tiny(batch.x_adv).softmax(1)
    rows = torch.arange(len(x))
    rival = q.detach().clone().index_put((rows, y), torch.tensor(-1.0)).argmax(1)
    bce = -q[rows, y].log() - (1 - q[rows, rival]).log()
    loss = (bce + 5.0 * (p * (p / q).log()).sum(1) * (1 - p[rows, y])).mean()
    for mine, theirs in zip(ours, torch.autograd.grad(loss, weights), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_with_beta_zero_a_step_is_one_on_the_boosted_cross_entropy(tiny, x, y):
    tiny.train()
    objective = MART(ATTACK, beta=0.0)
    batch = objective.prepare(tiny, Batch(x, y))
    statistics = {name: buffer.clone() for name, buffer in tiny.named_buffers()}
    steps = []
    for of in (
        lambda: torch.stack(list(objective.terms(tiny, batch).values())).sum(),
        lambda: boosted_cross_entropy(tiny(batch.x_adv), y).mean(),
    ):
        tiny.zero_grad()
        loss = of()
        loss.backward()
        gradients = [w.grad.clone() for w in tiny.parameters() if w.grad is not None]
        steps.append([loss, *gradients, *(buffer.clone() for buffer in tiny.buffers())])
        for name, buffer in tiny.named_buffers():
            buffer.copy_(statistics[name])
    assert all(map(torch.equal, *steps))


@pytest.mark.parametrize(("label", "expected"), [(0, 0), (1, 200)])
def test_a_certain_network_has_a_finite_loss_and_gradient(label, expected):
    """p_k rounds to 1 in float32, where the logarithm of 1 - p_k would be infinite."""
    logits = torch.tensor([[100.0, 0.0, -3.0]], requires_grad=True)
    loss = boosted_cross_entropy(logits, torch.tensor([label]))
    loss.sum().backward()
    assert loss.item() == pytest.approx(expected, abs=0.1)
    assert logits.grad.isfinite().all()


def test_of_two_classes_the_boost_is_the_cross_entropy_again():
    logits, y = torch.randn(6, 2), torch.arange(6) % 2
    expected = 2 * torch.nn.functional.cross_entropy(logits, y, reduction="none")
    torch.testing.assert_close(boosted_cross_entropy(logits, y), expected)
