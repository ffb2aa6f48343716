"""APGD against a naive walk of one image, against the authors' rules, and beside torchattacks."""

import re

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks.apgd import APGD, APGDTargeted
from seminar_lib.attacks.base import climb, look
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.losses import cross_entropy, dlr, margin
from seminar_lib.threat import L2, Linf


def naive_walk(goal, threat, x, start, steps):
    """Algorithm 1 for one image, in floats and loops; every point of the walk."""
    checkpoints, period = [int(0.22 * steps)], int(0.22 * steps)
    while checkpoints[-1] < steps:
        period = max(period - int(0.03 * steps), int(0.06 * steps))
        checkpoints.append(checkpoints[-1] + period)
    size, points, losses, previous = 2 * threat.eps, [start], [], start
    current, (score, grad) = start, climb(goal, start)
    top, top_loss, top_grad, loss = current, float(score.loss), grad, float(score.loss)
    rises, last_check, top_then, halved_then = 0, 0, top_loss, True
    for step in range(1, steps + 1):
        z = threat.project(current + size * threat.steepest(grad), x)
        a = 0.75 if step > 1 else 1.0
        following = threat.project(current + a * (z - current) + (1 - a) * (current - previous), x)
        previous, current = current, following
        points.append(current)
        score, grad = climb(goal, current)
        rises += float(score.loss) > loss
        loss = float(score.loss)
        losses.append(loss)
        if loss > top_loss:
            top, top_loss, top_grad = current, loss, grad
        if step in checkpoints:
            if rises <= 0.75 * (step - last_check) or (not halved_then and top_loss == top_then):
                size, current, grad, loss, halved_then = size / 2, top, top_grad, top_loss, True
            else:
                halved_then = False
            rises, last_check, top_then = 0, step, top_loss
    return points


@pytest.mark.parametrize("threat", [Linf(6 / 255), L2(0.4)], ids=repr)
def test_each_image_walks_as_it_would_alone(threat, tiny, x, y):
    tiny, x = tiny.double(), x.double()
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    APGD(threat, steps=100, stop_when_fooled=False).search(goal, x, torch.Generator().manual_seed(0))
    start = threat.random_start(x, torch.Generator().manual_seed(0))
    for i in range(8):
        alone = naive_walk(Misclassify(tiny, y[i : i + 1]), threat, x[i : i + 1], start[i : i + 1], 100)
        walked = torch.stack([seen.x[i] for seen in goal.looks])
        torch.testing.assert_close(walked, torch.cat(alone), rtol=0, atol=1e-6)


def test_it_climbs_higher_than_its_start_and_keeps_the_top(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    x_adv = APGD(Linf(6 / 255), steps=50, stop_when_fooled=False).search(goal, x)
    losses = torch.stack([seen.score.loss for seen in goal.looks])
    wins = torch.stack([seen.score.success for seen in goal.looks])
    best = losses.masked_fill(~wins & wins.any(0), float("-inf")).amax(0)
    torch.testing.assert_close(look(Misclassify(tiny, y), x_adv).loss, best)


def test_the_last_point_costs_no_gradient(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    APGD(Linf(6 / 255), steps=10, stop_when_fooled=False).search(goal, x)
    assert (goal.forwards, goal.backwards) == (11 * 8, 10 * 8)


def test_targets_are_tried_one_after_the_other_on_the_survivors(tiny, x, y):
    rows = torch.arange(1, 8)
    goal = Recorded(Misclassify(tiny, y[rows], margin), rows)
    attack = APGDTargeted(Linf(3 / 255), steps=5, targets=3)
    attack.search(goal, x[rows], torch.Generator().manual_seed(0))
    most = 3 * 5 * 7
    assert 5 * 7 / 2 < goal.backwards < most
    everything = Recorded(Misclassify(tiny, y[rows], margin), rows)
    APGDTargeted(Linf(3 / 255), steps=5, targets=3, stop_when_fooled=False).search(everything, x[rows])
    assert everything.backwards == most


def test_aiming_at_every_class_fools_whatever_one_class_fools(tiny, x, y):
    threat = Linf(3 / 255)
    one, all_four = (
        APGDTargeted(threat, steps=20, targets=n)(tiny, x, y, generator=torch.Generator().manual_seed(0))
        for n in (1, 4)
    )
    assert ((tiny(all_four).argmax(1) != y) >= (tiny(one).argmax(1) != y)).all()


@pytest.mark.parametrize("loss", [cross_entropy, dlr], ids=repr)
@pytest.mark.parametrize(("threat", "norm"), [(Linf(8 / 255), "Linf"), (L2(0.5), "L2")], ids=["Linf", "L2"])
def test_it_is_as_strong_as_torchattacks(loss, threat, norm):
    torchattacks = pytest.importorskip("torchattacks")
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(128)
    theirs = torchattacks.APGD(
        model, norm=norm, eps=threat.eps, steps=20, loss="ce" if loss is cross_entropy else "dlr", n_restarts=1, seed=0
    )
    x, y = data.x.contiguous(), data.y
    x_adv = APGD(threat, steps=20, loss=loss)(model, x, y, generator=torch.Generator().manual_seed(0))
    ours, peers = ((model(images).argmax(1) == y).float().mean().item() for images in (x_adv, theirs(x, y)))
    assert ours <= peers + 2 / 128  # two images: the random starts differ


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: APGD(steps=0), "APGD needs at least one step and one restart; got steps=0"),
        (lambda: APGDTargeted(restarts=0), "APGDTargeted needs at least one step and one restart"),
        (lambda: APGDTargeted(targets=0), "at least one target; got 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()


def test_three_classes_are_enough_for_targeted_dlr(oracle):
    attack = APGDTargeted(Linf(1.0), steps=5)
    assert (oracle.model(attack(oracle.model, oracle.x, oracle.y)).argmax(1) != oracle.y).all()
