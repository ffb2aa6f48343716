"""Orthogonal PGD: where the weighted sum has to be weighed, it need not be; and what it walks along."""

from copy import deepcopy
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from seminar_lib.attacks import PGD
from seminar_lib.attacks.orthogonal import OrthogonalPGD, without
from seminar_lib.goals import Both, Misclassify, Recorded, StayUnder
from seminar_lib.losses import margin
from seminar_lib.threat import L2, Linf

BALL = L2(1.0)


def directions() -> tuple[Tensor, Tensor]:
    """Unit vectors of the images: what fools the classifier, and across it what quiets the detector."""
    fools, quiets = torch.linalg.qr(torch.randn(192, 2)).Q.T
    return fools.view(1, 3, 8, 8), quiets.view(1, 3, 8, 8)


@pytest.fixture
def contest():
    """A linear classifier and a linear detector that disagree: what fools the one alarms the other.

    With f and q orthonormal and an image moved by a f + b q, a wrong label takes a > 0.6, and the alarm, which rises by
    a - b, stays off where a - b < -0.1. Both can be had in a ball of radius 1: by a = 0.65, b = 0.75 for instance.
    """
    f, q = directions()
    x = torch.full((4, 3, 8, 8), 0.5)
    along = lambda x, direction: ((x - 0.5) * direction).sum((1, 2, 3))  # noqa: E731
    model = lambda x: torch.stack([0 * along(x, f), along(x, f) - 0.6], 1)  # noqa: E731
    score = lambda x: along(x, f) - along(x, q)  # noqa: E731
    y = torch.zeros(4, dtype=torch.long)
    return x, lambda weight=1.0: Both(Misclassify(model, y, margin), StayUnder(score, -0.1), weight)


def test_it_needs_no_weight_where_the_sum_does(contest):
    """The sum leads to the point (1 - w) f + w q of the sphere, which wins for weights near a half only."""
    x, goal = contest
    for weight, won in ((0.3, False), (0.55, True), (0.7, False), (1.0, False)):
        for threat, attack in ((BALL, PGD), (BALL, OrthogonalPGD)):
            found = attack(threat, steps=60, step_size=0.05, stop_when_fooled=False).run(goal(weight), x)
            assert threat.contains(found, x).all()
            assert goal()(found).success.all() == (won or attack is OrthogonalPGD)


def test_it_climbs_the_first_until_that_is_won_and_then_the_second_across_it(contest):
    x, goal = contest
    recorded = Both(Recorded(goal().first, torch.arange(4)), goal().second)
    looks = recorded.first.looks
    OrthogonalPGD(BALL, steps=30, step_size=0.05, random_start=False, stop_when_fooled=False).run(recorded, x)
    f = torch.autograd.functional.jacobian(lambda x: goal().first(x).loss.sum(), x)
    for before, after in pairwise(looks[1:-1]):  # between the verdicts of the start and of the end
        rise = ((after.x - before.x) * f).sum((1, 2, 3)).abs()
        inside = BALL.norm(after.x - x) < BALL.eps - 1e-4  # where no projection bends the step
        expected = torch.where(before.score.success, 0.0, 0.05)
        torch.testing.assert_close(rise[inside], expected[inside], rtol=1e-3, atol=1e-4)


def test_without_leaves_what_is_orthogonal(x):
    g = torch.randn_like(x)
    left = without(g, x)
    torch.testing.assert_close((left * x).sum((1, 2, 3)), torch.zeros(8), rtol=0, atol=1e-3)
    torch.testing.assert_close(left + (g - left), g)
    assert torch.equal(without(g, torch.zeros_like(x)), g)
    torch.testing.assert_close(without(g, 1e-30 * x), left)  # its square is zero in float32
    assert without(x, 3 * x).abs().max() < 1e-5


def test_a_network_and_its_detector_fall(tiny, x, y):
    alarm = lambda x: tiny(x).logsumexp(1)  # noqa: E731
    threshold = float(alarm(x).detach().median())
    goal = Both(Misclassify(tiny, y), StayUnder(alarm, threshold))
    threat, before = Linf(0.2), deepcopy(tiny.state_dict())
    found = OrthogonalPGD(threat, steps=40).run(goal, x, torch.Generator().manual_seed(0))
    again = OrthogonalPGD(threat, steps=40).run(goal, x, torch.Generator().manual_seed(0))
    assert torch.equal(found, again)
    assert threat.contains(found, x).all()
    assert goal(found).success.all()
    assert not Misclassify(tiny, y)(x).success[1:].any()
    assert all(map(torch.equal, tiny.state_dict().values(), before.values()))


def test_one_goal_alone_is_refused(tiny, x, y):
    with pytest.raises(TypeError, match=r"climbs two goals at once.*got Misclassify. For one goal take PGD"):
        OrthogonalPGD()(tiny, x, y)
