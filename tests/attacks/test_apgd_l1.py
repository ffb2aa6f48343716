"""APGD in the L1 ball: against a naive walk of one image, and beside the authors' package where it is installed."""

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks import APGD, PGD
from seminar_lib.attacks.base import climb
from seminar_lib.goals import Misclassify, Recorded
from seminar_lib.threat import L1


def naive_stage(goal, threat, x, start, steps):
    """Section 3 of the paper for one image, in floats and loops; every point of the stage and the best of them."""
    x_adv, size, period = start, threat.eps, max(int(0.04 * steps), 1)
    score, grad = climb(goal, x_adv)
    points, top, top_grad, top_loss = [x_adv], x_adv, grad, float(score.loss)
    changed = int((top != x).sum())
    for step in range(1, steps + 1):
        count = max(int(changed / 1.5), 1)
        direction = torch.zeros(x.numel(), dtype=x.dtype)
        for steepest in grad.flatten().abs().argsort(descending=True)[:count]:
            direction[steepest] = grad.flatten()[steepest].sign()
        x_adv = threat.project(x_adv + size / count * direction.view_as(x), x)
        points.append(x_adv)
        if step == steps:
            break
        score, grad = climb(goal, x_adv)
        if float(score.loss) > top_loss:
            top, top_grad, top_loss = x_adv, grad, float(score.loss)
        if step % period == 0:
            now = int((top != x).sum())
            if now < 0.95 * changed:
                size, x_adv, grad = threat.eps, top, top_grad
            else:
                size = max(size / 1.5, threat.eps / 10)
            changed = now
    return points, top


def test_each_image_walks_as_it_would_alone(tiny, x, y):
    tiny, x, steps = tiny.double(), x.double(), 60
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    APGD(L1(2.0), steps=steps, stop_when_fooled=False).search(goal, x, torch.Generator().manual_seed(0))
    noise = torch.empty_like(x).normal_(generator=torch.Generator().manual_seed(0))
    for i in range(8):
        alone, here, aim = [], (x + noise)[i : i + 1], Misclassify(tiny, y[i : i + 1])
        for radius, length in ((6.0, 18), (4.0, 18), (2.0, 24)):
            start = L1(radius).project(here, x[i : i + 1])
            points, here = naive_stage(aim, L1(radius), x[i : i + 1], start, length)
            alone += points
        walked = torch.stack([seen.x[i] for seen in goal.looks])
        torch.testing.assert_close(walked, torch.cat(alone), rtol=0, atol=1e-6)


def test_a_success_in_a_wider_ball_does_not_count(tiny, x, y):
    """Most images are fooled at three times the radius; what is returned obeys the right one all the same."""
    threat = L1(0.5)
    wide, right = (APGD(ball, steps=20)(tiny, x, y) for ball in (L1(1.5), threat))
    assert (tiny(wide).argmax(1) != y).sum() > (tiny(right).argmax(1) != y).sum()
    assert threat.contains(right, x).all()


def test_it_is_far_stronger_than_single_values():
    """What the steepest direction costs: PGD changes one value a step."""
    model, _ = load("signs/standard")
    data = load_data("signs").test.sample(48)
    left = [
        (model(attack(model, data.x, data.y)).argmax(1) == data.y).float().mean().item()
        for attack in (APGD(L1(6.0), steps=20), PGD(L1(6.0), steps=20))
    ]
    assert left[0] < left[1] - 0.2


def test_it_is_as_strong_as_the_authors():
    theirs = pytest.importorskip("pyautoattack.autopgd_base")
    model, _ = load("signs/pgd_at")
    data = load_data("signs").test.sample(96)
    attack = theirs.APGDAttack(model, norm="L1", eps=8.0, n_iter=50, seed=0, device="cpu", use_largereps=True)
    x_adv = APGD(L1(8.0), steps=50)(model, data.x, data.y, generator=torch.Generator().manual_seed(0))
    images = (x_adv, attack.perturb(data.x.contiguous(), data.y))
    ours, peers = ((model(image).argmax(1) == data.y).float().mean().item() for image in images)
    assert ours <= peers + 0.03  # as much as two random starts of the authors' own differ (three seeds, n = 192)
