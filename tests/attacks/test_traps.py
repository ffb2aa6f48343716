"""Mistakes that were found in other libraries by running them, each with a test that ours does not make it.

What neighbours in a batch, gradients left in parameters, thawed BatchNorms and the caller's random numbers have to do
with an attack stands in ``test_contract.py``, for every attack.
"""

from dataclasses import replace

import pytest
import torch
from torch import nn

from seminar_lib import load, load_data
from seminar_lib.attacks import APGD, CW, FAB, FMN, PGD, APGDTargeted, DeepFool, Square, autoattack
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.threat import L2, Linf

NEAREST = [
    DeepFool(L2(0.5)),
    CW(L2(0.5), binary_steps=3, steps=200, initial_const=1.0),
    FMN(L2(0.5)),
    FAB(L2(0.5), steps=20),
]
minimum_norm = pytest.mark.parametrize("attack", NEAREST, ids=lambda attack: type(attack).__name__)


def test_the_standard_ensemble_is_the_standard_and_no_shorter_one():
    members = autoattack(Linf(8 / 255)).members
    assert [type(member) for member in members] == [APGD, APGDTargeted, FAB, Square]
    assert [getattr(member, "steps", None) for member in members] == [100, 100, 100, None]
    assert members[-1].queries == 5000


@minimum_norm
def test_what_is_called_a_success_is_one(attack):
    """And no black image is among them, nor any other that lies farther away than the next class."""
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(16)
    found = attack.nearest(model, data.x, data.y)
    with torch.no_grad():
        fooled = model(found.x_adv).argmax(1) != data.y
    assert torch.equal(found.success, fooled)
    assert found.success.float().mean() > 0.9
    assert found.x_adv.amax((1, 2, 3)).min() > 0.1
    torch.testing.assert_close(found.distance[fooled], (found.x_adv - data.x)[fooled].flatten(1).norm(dim=1))


@minimum_norm
def test_black_and_white_pixels_can_move(attack):
    """A linear model of images that hold nothing but 0 and 1: the way to the other class leads inwards."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    x = torch.rand(8, 3, 4, 4).round()
    y = model(x).argmax(1)
    found = attack.nearest(model, x, y)
    assert found.success.all()
    assert ((found.x_adv - x).abs() > 1e-3).flatten(1).float().mean() > 0.1


@pytest.mark.parametrize("attack", [PGD(Linf(3 / 255), steps=4), APGD(Linf(3 / 255), steps=4)], ids=repr)
def test_the_last_step_is_judged(attack, tiny, x, y):
    """What a walk of four steps returns is the best of five points, the last among them."""
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    replace(attack, stop_when_fooled=False).search(goal, x, torch.Generator().manual_seed(0))
    assert [len(look.rows) for look in goal.looks] == 5 * [8]


def test_deepfool_leaves_hardly_an_image_standing():
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(48)
    assert DeepFool(L2(0.5)).nearest(model, data.x, data.y).success.all()


def test_an_attack_is_the_same_after_a_call(tiny, x, y):
    for attack in (PGD(Linf(3 / 255)), Square(Linf(3 / 255), queries=5), DeepFool(L2(0.5), steps=2)):
        before = repr(attack)
        attack(tiny, x, y)
        assert repr(attack) == before
