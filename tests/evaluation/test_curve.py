"""The curve: what it says at each radius, where the answer is known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from seminar_lib.attacks import FGSM, PGD, Attack
from seminar_lib.evaluation import accuracy_against_eps, evaluate
from seminar_lib.threat import L2, Linf

from .conftest import says


@pytest.mark.parametrize("attack", [FGSM(Linf()), PGD(L2(), random_start=False)], ids=repr)
def test_the_curve_is_the_share_of_distances_beyond_each_radius(attack, oracle, linear):
    """On a linear model the accuracy at eps is known; and the curve is that of separate evaluations."""
    oracle.x, oracle.y = linear.x, linear.y
    distances = oracle.distance(attack.threat).detach()
    radii = [0.0, *distances.quantile(torch.tensor([0.22, 0.48, 0.74, 1.0])).tolist()]
    radii[-1] *= 1.1
    curve = accuracy_against_eps(oracle.model, linear, attack, radii, progress=False)
    accuracy = [a.accuracy for a in curve.accuracy]
    assert accuracy == [(distances > eps).float().mean().item() for eps in radii]
    for eps, a in zip(radii[1:], curve.accuracy[1:], strict=True):
        alone = evaluate(
            oracle.model, linear, {"": replace(attack, threat=replace(attack.threat, eps=eps))}, progress=False
        )
        assert alone[""] == a
    assert accuracy == sorted(accuracy, reverse=True)
    assert [accuracy[0], accuracy[-1]] == [1, 0]


def test_the_curve_never_rises_even_where_a_larger_ball_is_searched_less_well(numbered):
    """An attack that only works at a small radius: what fell there has fallen."""
    model = says((torch.arange(256) % 2).long())

    @dataclass(frozen=True)
    class Fickle(Attack):
        def search(self, goal, x, generator=None):
            return x + (1 / 255 if self.threat.eps < 0.01 else 0)

    data = replace(numbered, labels=torch.arange(12) % 2)
    curve = accuracy_against_eps(model, data, Fickle(), [0, 1.5 / 255, 5 / 255], progress=False)
    assert [a.accuracy for a in curve.accuracy] == [1, 0, 0]


def test_a_curve_takes_any_sequence_and_draws_itself(oracle, linear):
    curve = accuracy_against_eps(oracle.model, linear, FGSM(), np.linspace(0, 0.02, 3), progress=False)
    assert curve.eps == pytest.approx((0, 0.01, 0.02))
    (line,) = curve.plot(Figure().subplots()).lines
    assert line.get_xdata() == pytest.approx([0, 2.55, 5.1])
    assert list(line.get_ydata()) == [a.accuracy for a in curve.accuracy]
