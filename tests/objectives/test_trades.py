"""TRADES against a loop by hand, standard training, and the attack of another library."""

import math
import warnings
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.goals import Diverge, Recorded
from seminar_lib.objectives import TRADES, Batch, CrossEntropy
from seminar_lib.threat import Linf

EPS, STEP = 4 / 255, 1 / 255
ATTACK = PGD(Linf(EPS), steps=3, step_size=STEP, stop_when_fooled=False)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def test_the_images_are_the_furthest_of_a_walk_up_the_divergence(tiny, x, y):
    with torch.no_grad():
        p = tiny(x).softmax(1)
    x_adv = (x + torch.empty_like(x).uniform_(-EPS, EPS, generator=seeded())).clamp(0, 1)
    best, highest = x_adv.clone(), [(False, -1.0)] * len(x)
    for _ in range(4):
        x_adv.requires_grad_()
        q = tiny(x_adv).softmax(1)
        for i in range(len(x)):
            here = (bool(q[i].argmax() != p[i].argmax()), kl(p[i].tolist(), q[i].tolist()))  # a new label counts most
            if here > highest[i]:
                best[i], highest[i] = x_adv[i].detach(), here
        (grad,) = torch.autograd.grad(-(p * q.log()).sum(), x_adv)
        x_adv = torch.min(torch.max(x_adv.detach() + STEP * grad.sign(), x - EPS), x + EPS).clamp(0, 1)
    found = TRADES(ATTACK).prepare(tiny.train(), Batch(x, y, generator=seeded())).x_adv
    torch.testing.assert_close(found, best)


def test_the_terms_are_the_loop_of_the_paper(tiny, x, y):
    objective = TRADES(ATTACK, beta=2.5)
    batch = objective.prepare(tiny.train(), Batch(x, y))
    terms = objective.terms(tiny, batch)
    clean, adversarial = tiny(x).softmax(1).tolist(), tiny(batch.x_adv).softmax(1).tolist()
    natural = [-math.log(p[label]) for p, label in zip(clean, y.tolist(), strict=True)]
    robust = [kl(p, q) for p, q in zip(clean, adversarial, strict=True)]
    assert terms["clean"].item() == pytest.approx(sum(natural) / len(x), rel=1e-5)
    assert terms["divergence"].item() == pytest.approx(2.5 * sum(robust) / len(x), rel=1e-5)
    assert min(robust) > 0


def test_both_predictions_of_the_divergence_learn(tiny, x, y):
    """The gradient is that of the authors' expression, in which neither side is held fixed."""
    objective = TRADES(ATTACK)
    batch = objective.prepare(tiny, Batch(x, y))
    weights = [w for name, w in tiny.named_parameters() if not name.startswith("projector")]
    ours = torch.autograd.grad(objective.terms(tiny, batch)["divergence"], weights)
    kl_div = F.kl_div(tiny(batch.x_adv).log_softmax(1), tiny(x).softmax(1), reduction="batchmean")
    for mine, theirs in zip(ours, torch.autograd.grad(6.0 * kl_div, weights), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_with_beta_zero_a_step_is_one_of_standard_training(tiny, x, y):
    steps = []
    for objective in (TRADES(ATTACK, beta=0.0), CrossEntropy()):
        tiny.train().zero_grad()
        statistics = {name: buffer.clone() for name, buffer in tiny.named_buffers()}
        loss = torch.stack(list(objective(tiny, Batch(x, y)).values())).sum()
        loss.backward()
        gradients = [w.grad.clone() for w in tiny.parameters() if w.grad is not None]
        steps.append([loss, *gradients, *(buffer.clone() for buffer in tiny.buffers())])
        for name, buffer in tiny.named_buffers():
            buffer.copy_(statistics[name])
    assert all(map(torch.equal, *steps))


@dataclass(frozen=True, repr=False)
class NearLinf(Linf):
    """The ball of TRADES' authors, whose walks start close to the clean image."""

    def noise(self, x, generator=None):
        return 0.001 * torch.randn_like(x)


def test_the_walk_is_that_of_torchattacks(tiny, x):
    """From its authors' start, TPGD ends where our walk does before the best of its images is taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchattacks = pytest.importorskip("torchattacks")
    torch.manual_seed(1)
    theirs = torchattacks.TPGD(tiny, eps=EPS, alpha=STEP, steps=5)(x)
    torch.manual_seed(1)
    goal = Recorded(Diverge(tiny, tiny(x).detach()), torch.arange(len(x)))
    PGD(NearLinf(EPS), steps=5, step_size=STEP, stop_when_fooled=False).search(goal, x)
    torch.testing.assert_close(goal.looks[-1].x, theirs)


def test_our_start_goes_as_far_as_that_of_its_authors(tiny, x, y):
    goal = Diverge(tiny, tiny(x).detach())
    near, anywhere = (
        goal(TRADES(PGD(threat, stop_when_fooled=False)).prepare(tiny, Batch(x, y)).x_adv).loss.mean().item()
        for threat in (NearLinf(EPS), Linf(EPS))
    )
    assert anywhere == pytest.approx(near, rel=0.1)
