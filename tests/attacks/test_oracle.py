"""Attacks on a linear model, where the best that any attack can do is a formula."""

from dataclasses import replace

import pytest
import torch
from test_contract import EXACT

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.goals import Misclassify
from seminar_lib.losses import margin
from seminar_lib.threat import L2, Linf

THREATS = [Linf(8 / 255), L2(0.5)]
every = pytest.mark.parametrize("attack", EXACT, ids=repr)


@every
def test_the_loss_reaches_the_best_of_the_ball(attack, oracle):
    x_adv = replace(attack, stop_when_fooled=False)(oracle.model, oracle.x, oracle.y)
    raised = margin(oracle.model(x_adv), oracle.y) - oracle.margin()
    best = oracle.best_margin(attack.threat) - oracle.margin()
    assert (raised >= 0.97 * best).all()
    assert (raised <= 1.001 * best).all()


@every
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
def test_success_begins_at_the_exact_distance(attack, targeted, oracle):
    for i, distance in enumerate(oracle.distance(attack.threat)[:6].tolist()):
        x, y = oracle.x[i : i + 1], oracle.y[i : i + 1]
        for share, wins in ((1.03, True), (0.97, False)):
            here = replace(attack, threat=type(attack.threat)(share * distance))
            x_adv = here(oracle.model, x, y, 1 - y if targeted else None)
            assert (oracle.model(x_adv).argmax(1) != y).item() == wins


@pytest.mark.parametrize("threat", THREATS, ids=repr)
@pytest.mark.parametrize("momentum", [0.0, 1.0])
def test_tiny_gradients_still_make_full_steps(threat, momentum, oracle):
    """A model whose gradients are 1e-30, whose squares vanish in float32, is no harder to attack."""
    attack = PGD(threat, loss=margin, momentum=momentum, stop_when_fooled=False)
    x_adv = attack.search(Misclassify(lambda x: oracle.model(x) * 1e-30, oracle.y, margin), oracle.x)
    raised = margin(oracle.model(x_adv), oracle.y) - oracle.margin()
    assert (raised >= 0.97 * (oracle.best_margin(threat) - oracle.margin())).all()


def test_clipping_to_the_box_is_part_of_the_optimum(oracle):
    """At the edge of [0, 1] a pixel can only move inwards, and the optimum is the sum over those that can move."""
    x = oracle.x.round()
    y = oracle.model(x).argmax(1)
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *x.shape[1:])
    slope = torch.where(y[:, None, None, None] == 0, second - first, first - second)
    up, down = slope.clamp_min(0) * (x < 1), (-slope).clamp_min(0) * (x > 0)
    best = 0.1 * (up + down).flatten(1).sum(1)
    x_adv = FGSM(Linf(0.1), loss=margin, stop_when_fooled=False)(oracle.model, x, y)
    raised = margin(oracle.model(x_adv), y) - margin(oracle.model(x), y)
    torch.testing.assert_close(raised, best, rtol=1e-3, atol=1e-3)
