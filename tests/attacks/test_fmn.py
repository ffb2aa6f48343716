"""FMN: exact on linear models, the loop of its paper on others, and beside foolbox."""

import math
import re
import warnings
from dataclasses import replace

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks import CW, DeepFool
from seminar_lib.attacks.fmn import FMN
from seminar_lib.attacks.hyperplane import shortest_way
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import margin
from seminar_lib.threat import L1, L2, Linf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    foolbox = pytest.importorskip("foolbox")

THREATS = [Linf(8 / 255), L2(0.5), L1(4.0)]
every = pytest.mark.parametrize("threat", THREATS, ids=["Linf", "L2", "L1"])


def exact_distance(threat, oracle, x, y):
    """To the boundary of a linear model, inside the box."""
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *x.shape[1:])
    slope = torch.where(y[:, None, None, None] == 0, second - first, first - second)
    return threat.norm(shortest_way(threat, x, margin(oracle.model(x), y).detach(), slope))


@every
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
@pytest.mark.parametrize("black_and_white", [False, True], ids=["grey", "black and white"])
def test_it_comes_near_the_exact_distance_of_a_linear_model(black_and_white, targeted, threat, oracle):
    x = oracle.x.round() if black_and_white else oracle.x
    y = oracle.model(x).argmax(1)
    near = FMN(threat, steps=200).nearest(oracle.model, x, y, 1 - y if targeted else None)
    ratio = near.distance / exact_distance(threat, oracle, x, y)
    assert near.success.all()
    assert (ratio > 0.999).all()
    assert (ratio < 1.05).all()


def on_the_simplex(size, radius):
    """What is subtracted from positive numbers so that what is left of them adds up to ``radius``, by bisection."""
    low, high = 0.0, size.max().item()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (size - middle).clamp_min(0).sum() > radius else (low, middle)
    return high


@every
def test_each_image_walks_as_it_would_alone(threat, tiny, x, y):
    """Algorithm 1 for one image, in floats and loops."""
    tiny, x = tiny.double(), x.double()
    steps, q = 15, {Linf: 1, L2: 2, L1: math.inf}[type(threat)]
    p = {Linf: math.inf, L2: 2, L1: 1}[type(threat)]
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(8))
    found = FMN(threat, steps=steps, step_size=0.7, gamma=0.1, refinements=0).approach(goal, x)
    for i in range(1, 8):
        delta, radius, nearest, best = torch.zeros_like(x[i]), 0.0, math.inf, x[i]
        for step in range(steps + 1):
            x_adv = (x[i] + delta).requires_grad_()
            loss = margin(tiny(x_adv[None]), y[i : i + 1])[0]
            (grad,) = torch.autograd.grad(loss, x_adv)
            torch.testing.assert_close(
                goal.looks[step].x[(goal.looks[step].rows == i).nonzero().item()], x_adv.detach()
            )
            length = delta.flatten().norm(p=p).item()
            if loss > 0:
                nearest, best = (length, x_adv.detach()) if length < nearest else (nearest, best)
            cosine = (1 + math.cos(math.pi * step / steps)) / 2
            size, gamma = 0.7 * (0.01 + 0.99 * cosine), 0.001 + 0.099 * cosine
            if loss > 0:
                radius = min((1 - gamma) * radius, nearest)
            elif nearest < math.inf:
                radius = (1 + gamma) * radius
            else:
                farthest = torch.maximum(x[i], 1 - x[i]).flatten().norm(p=p).item()
                estimate = length + (loss.abs() / grad.flatten().norm(p=q)).item()
                radius = max((1 + gamma) * radius, min(estimate, farthest))
            delta = delta + size * grad / grad.norm()
            if p == math.inf:
                delta = delta.clamp(-radius, radius)
            elif p == 2:
                delta = delta * min(1, radius / delta.norm().item())
            elif delta.abs().sum() > radius:
                delta = delta.sign() * (delta.abs() - on_the_simplex(delta.abs(), radius)).clamp_min(0)
            delta = (x[i] + delta).clamp(0, 1) - x[i]
        torch.testing.assert_close(found[i], best, rtol=0, atol=1e-7)


@every
def test_every_image_has_its_own_radius(threat, x):
    far = (x + 0.2 * torch.randn_like(x)).clamp(0, 1)
    radius = threat.norm(far - x) * torch.linspace(0.1, 1.3, 8)
    together = FMN(threat)._project(far, x, radius)
    for i in range(8):
        ball = replace(threat, eps=radius[i].item())
        expected = (x[i : i + 1] + ball.shrink((far - x)[i : i + 1])).clamp(0, 1)
        torch.testing.assert_close(together[i : i + 1], expected)


def test_a_first_success_is_enough_for_a_call(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y, margin), torch.arange(8))
    x_adv = FMN(L2(0.5), steps=50).approach(goal, x, enough=0.3)
    near = L2().norm(x_adv - x) <= 0.3
    assert near.sum() >= 4
    arrived = torch.zeros(8, dtype=torch.bool)
    for look in goal.looks[:50]:
        assert not arrived[look.rows].any()
        arrived[look.rows] = look.score.success & (L2().norm(look.x - x[look.rows]) <= 0.3)
    assert arrived.sum() >= 4
    assert goal.backwards < 8 * 50


@pytest.mark.parametrize(("threat", "peer"), [(THREATS[0], "LInf"), (THREATS[1], "L2"), (THREATS[2], "L1")])
def test_it_is_as_near_as_foolbox_at_equal_steps(threat, peer, as_users_call_it):
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(16)
    x, y = data.x.contiguous(), data.y
    near = FMN(threat, steps=30).nearest(model, x, y)
    attack = getattr(foolbox.attacks.fast_minimum_norm, f"{peer}FMNAttack")(steps=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, x_adv, _ = attack(foolbox.PyTorchModel(model, bounds=(0, 1)), x, y, epsilons=None)
    distance = threat.norm(x_adv - x).masked_fill(model(x_adv).argmax(1) == y, torch.inf)
    assert near.success.all()
    assert near.distance.median() <= distance.median()


def test_the_three_minimum_norm_attacks_agree(as_users_call_it):
    """FMN and C&W come to the same distances; DeepFool, which only follows lines, is not far away."""
    model, _ = load("signs/standard")
    data = load_data("signs").test.sample(12)
    ball = L2(0.5)
    fmn, carlini, deepfool = (
        attack.nearest(model, data.x, data.y).distance
        for attack in (FMN(ball, steps=60), CW(ball, binary_steps=3, steps=60, initial_const=0.1), DeepFool(ball))
    )
    assert (carlini / fmn).log().abs().mean() < 0.1
    assert 1 < (deepfool / fmn).median() < 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": 0}, "at least one step and refinements >= 0; got steps=0"),
        ({"refinements": -1}, "got steps=100, refinements=-1"),
        ({"step_size": 0.0}, "a finite step_size > 0, in pixels of [0, 1]; got 0.0"),
        ({"gamma": 1.0}, "gamma, a share of the radius, in (0, 1); got 1.0"),
    ],
)
def test_hyperparameters_are_checked(wrong, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        FMN(**wrong)
