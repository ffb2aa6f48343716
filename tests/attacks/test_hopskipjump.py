"""HopSkipJump: the exact distance of a linear model, decisions only, and a peer at equal queries."""

import warnings

import pytest
import torch

from seminar_lib.attacks import hopskipjump
from seminar_lib.attacks.hopskipjump import HopSkipJump
from seminar_lib.goals import Goal, Misclassify, Reach, Recorded, Score
from seminar_lib.threat import L2, Linf, ThreatModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    foolbox = pytest.importorskip("foolbox")

THREATS = [Linf(8 / 255), L2(0.5)]
seeded = torch.Generator().manual_seed
both = pytest.mark.parametrize("threat", THREATS, ids=repr)


@both
@pytest.mark.parametrize("targeted", [False, True], ids=["", "targeted"])
def test_it_comes_near_the_exact_distance(threat, targeted, oracle):
    target = 1 - oracle.y if targeted else None
    near = HopSkipJump(threat, steps=20, samples=60).nearest(oracle.model, oracle.x, oracle.y, target, seeded(0))
    ratio = near.distance / oracle.distance(threat)
    assert near.success.all()
    assert (ratio >= 0.999).all()
    assert ratio.median() < 1.15
    assert ratio.max() < 1.4


class Decision(Misclassify):
    """Says whether an image wins, and nothing that is worth knowing beside it."""

    def __call__(self, x):
        score = super().__call__(x)
        assert not x.requires_grad
        return Score(torch.full_like(score.loss, float("nan")), score.success)


@both
def test_decisions_are_all_that_it_is_told(threat, tiny, x, y):
    attack = HopSkipJump(threat, steps=2, samples=10)
    told, blind = (attack.approach(goal(tiny, y), x, seeded(0)) for goal in (Misclassify, Decision))
    assert torch.equal(told, blind)


@both
def test_the_boundary_is_found_between_two_images(threat, oracle):
    far = oracle.x + 2.5 * (oracle.distance(threat)[:, None, None, None] * threat.steepest(slopes(oracle)))
    near = HopSkipJump(threat)._boundary(Misclassify(oracle.model, oracle.y), oracle.x, far)
    assert (oracle.model(near).argmax(1) != oracle.y).all()
    torch.testing.assert_close(threat.norm(near - oracle.x), oracle.distance(threat), rtol=1e-3, atol=1e-6)


def slopes(oracle):
    """The gradient of each margin."""
    first, second, _ = oracle.model[1].weight.detach().view(3, 1, *oracle.x.shape[1:])
    return torch.where(oracle.y[:, None, None, None] == 0, second - first, first - second)


@pytest.mark.parametrize("samples", [1000, 1001])
def test_the_direction_points_across_the_boundary(samples, oracle):
    """On a plane, the mean of n random directions has a known angle: cos ~ sqrt(2 n / pi d) for n << d, then more."""
    slope = L2().steepest(slopes(oracle))
    near = oracle.x + oracle.distance(L2(0.5))[:, None, None, None] * slope
    goal = Misclassify(oracle.model, oracle.y)
    v = hopskipjump._across(goal, near, torch.full((16,), 0.01), samples, seeded(0))
    cosine = (L2().steepest(v) * slope).flatten(1).sum(1)
    d, n = 192, samples
    signal = 2 * n / torch.pi
    assert cosine.mean().item() == pytest.approx((signal / (signal + d)) ** 0.5, abs=0.03)


@pytest.mark.parametrize("wins", [True, False])
def test_without_contrast_it_goes_on_or_turns_back(wins, x):
    """Everything around succeeds: the mean direction. Nothing does: its opposite."""

    class Always(Goal):
        def __getitem__(self, rows):
            return self

        def __call__(self, x):
            return Score(x[:, 0, 0, 0], torch.full((len(x),), wins))

    x = x.clamp(0.3, 0.7)
    v = hopskipjump._across(Always(), x, torch.full((8,), 0.01), 5, seeded(0))
    u = torch.stack([L2().steepest(u) for u in torch.empty(5, *x.shape).normal_(generator=seeded(0))]).sum(0)
    torch.testing.assert_close(v, u if wins else -u, rtol=1e-3, atol=1e-3)


def test_the_leap_is_halved_until_it_succeeds(oracle):
    slope, distance = L2().steepest(slopes(oracle)), oracle.distance(L2(0.5))
    near = oracle.x + 1.01 * distance[:, None, None, None] * slope
    goal = Misclassify(oracle.model, oracle.y)
    far = hopskipjump._leap(goal, near, -slope, distance)  # back towards x: only the last 1 % still succeeds
    length = L2().norm(far - near)
    assert (oracle.model(far).argmax(1) != oracle.y).all()
    torch.testing.assert_close(length, distance / 128, rtol=1e-2, atol=1e-5)


def test_an_image_that_is_wrong_already_is_its_own_nearest(tiny, x, y):
    near = HopSkipJump(L2(0.5), steps=1, samples=5).nearest(tiny, x, y, generator=seeded(0))
    assert near.distance[0] == 0
    assert (near.distance[1:] > 0).all()


def test_without_a_start_the_image_stays_as_it_is(tiny, x, y):
    """And the network is not troubled with an empty batch."""

    def stubborn(x):
        assert len(x)
        return torch.eye(5)[torch.zeros(len(x), dtype=torch.int64)]

    goal = Recorded(Reach(stubborn, torch.ones_like(y)), torch.arange(len(x)))
    assert torch.equal(HopSkipJump(starts=7).approach(goal, x, seeded(0)), x)
    assert goal.forwards == 8 * len(x)


def test_what_is_near_enough_is_left_alone(tiny, x, y):
    attack = HopSkipJump(L2(0.5), steps=4, samples=20)
    thorough, hasty = (Recorded(Misclassify(tiny, y), torch.arange(len(x))) for _ in range(2))
    nearest = attack.approach(thorough, x, seeded(0))
    enough = attack.approach(hasty, x, seeded(0), enough=100.0)
    assert hasty.forwards < 0.5 * thorough.forwards
    assert (L2().norm(enough - x) >= L2().norm(nearest - x) - 1e-5).all()
    assert (tiny(enough).argmax(1) != y).all()


@pytest.mark.parametrize(("threat", "peer"), list(zip(THREATS, ["linf", "l2"], strict=True)), ids=["Linf", "L2"])
def test_it_is_as_near_as_foolbox_for_no_more_queries(threat, peer, tiny):
    x = torch.rand(24, 3, 8, 8)
    y = tiny(x).argmax(1)
    asked = []
    tiny.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    near = HopSkipJump(threat, steps=6).nearest(tiny, x, y, generator=seeded(0))
    ours, _ = sum(asked), asked.clear()
    start = foolbox.attacks.LinearSearchBlendedUniformNoiseAttack(steps=20)
    attack = foolbox.attacks.HopSkipJumpAttack(start, steps=6, constraint=peer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, x_adv, _ = attack(foolbox.PyTorchModel(tiny, bounds=(0, 1)), x, y, epsilons=None)
    distance = threat.norm(x_adv - x).masked_fill(tiny(x_adv).argmax(1) == y, torch.inf)
    assert ours <= 1.02 * sum(asked)
    assert near.distance.median() <= 1.05 * distance.median()


def test_the_boundary_is_never_judged_in_bfloat16():
    assert HopSkipJump(bf16=True) == HopSkipJump()


class Elsewhere(ThreatModel):
    norm = steepest = shrink = noise = None


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"starts": 0}, {"samples": 1}])
def test_hyperparameters_are_checked(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"at least .*{name}={value}"):
        HopSkipJump(**wrong)


def test_another_threat_model_is_refused():
    with pytest.raises(TypeError, match="Linf or L2"):
        HopSkipJump(Elsewhere(0.5))
