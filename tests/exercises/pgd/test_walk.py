"""Exercise 2.2 accepts every right PGD and says what is wrong with each typical wrong one."""

import pytest
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.exercises import pgd
from seminar_lib.exercises.marking import Mistake

from ..conftest import praises, refuses


def slope(model, x, y):
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="none")
    return loss.detach(), torch.autograd.grad(loss.sum(), x)[0]


def linf(x_adv, x, eps):
    return (x + (x_adv - x).clamp(-eps, eps)).clamp(0, 1)


def noise(x, eps):
    return eps * (2 * torch.rand_like(x) - 1)


def box_only(x_adv, x, eps):
    return x_adv.clamp(0, 1)


def walk(
    start=lambda x, eps: linf(x + noise(x, eps), x, eps),
    direction=torch.sign,
    back=linf,
    choose="best",
    label=None,
    stride=lambda step_size, eps, steps: step_size,
    count=lambda steps: steps,
):
    """PGD with one thing exchanged at a time."""

    def my_pgd(model, x, y, eps, step_size, steps):
        if label is not None:
            y = label(model, x)
        x_adv, points, losses = start(x, eps), [], []
        for _ in range(count(steps)):
            loss, grad = slope(model, x_adv, y)
            points.append(x_adv)
            losses.append(loss)
            x_adv = back(x_adv + stride(step_size, eps, steps) * direction(grad), x, eps)
        if choose == "last":
            return x_adv
        if choose != "all but last":
            points.append(x_adv)
            losses.append(slope(model, x_adv, y)[0])
        losses = torch.stack(losses)
        if choose == "batch":
            return points[int(losses.sum(1).argmax())]
        which = losses.argmin(0) if choose == "worst" else losses.argmax(0)
        return torch.stack(points)[which, torch.arange(len(x))]

    return my_pgd


right_pgd = walk()


def by_backward(model, x, y, eps, step_size, steps):
    """A running best, the clean image in the race, backward() on the images alone, the mean as the loss."""
    best, record = x.clone(), F.cross_entropy(model(x), y, reduction="none").detach()
    delta = torch.empty_like(x).uniform_(-eps, eps)
    for step in range(steps + 1):
        x_adv = (x + delta).clamp(0, 1).detach().requires_grad_()
        losses = F.cross_entropy(model(x_adv), y, reduction="none")
        better = losses > record
        best = torch.where(better[:, None, None, None], x_adv.detach(), best)
        record = torch.maximum(record, losses.detach())
        if step < steps:
            losses.mean().backward(inputs=[x_adv])
            delta = (x_adv.detach() + step_size * x_adv.grad.sign() - x).clamp(-eps, eps)
    return best


def by_margin(model, x, y, eps, step_size, steps):
    """The best image is the one with the largest margin, and both candidates are scored at every step."""
    best, x_adv = None, x + noise(x, eps)
    x_adv = linf(x_adv, x, eps)
    for _ in range(steps):
        x_adv = linf(x_adv + step_size * slope(model, x_adv, y)[1].sign(), x, eps)
        if best is None:
            best = x_adv.clone()
        better = sl.margin(model(x_adv), y) > sl.margin(model(best), y)
        best[better] = x_adv[better]
    return best


def gaussian_start(x, eps):
    return linf(x + eps * torch.randn_like(x), x, eps)


def moved_before_noted(model, x, y, eps, step_size, steps):
    best, highest = x.clone(), torch.full((len(x),), -torch.inf)
    x_adv = linf(x + noise(x, eps), x, eps)
    for _ in range(steps):
        loss, grad = slope(model, x_adv, y)
        x_adv = linf(x_adv + step_size * grad.sign(), x, eps)
        better = loss > highest
        best[better], highest[better] = x_adv[better], loss[better]
    slope(model, x_adv, y)
    return best


def never_brought_up_to_date(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps)
    best, highest = x_adv.clone(), slope(model, x_adv, y)[0]
    for _ in range(steps):
        x_adv = linf(x_adv + step_size * slope(model, x_adv, y)[1].sign(), x, eps)
        better = slope(model, x_adv, y)[0] > highest
        best[better] = x_adv[better]
    return best


def in_place(model, x, y, eps, step_size, steps):
    answer = right_pgd(model, x, y, eps, step_size, steps)
    x.copy_(answer)
    return answer


def stale(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps)
    step = step_size * slope(model, x_adv, y)[1].sign()
    for _ in range(steps):
        x_adv = linf(x_adv + step, x, eps)
        slope(model, x_adv, y)
    return x_adv


def clean_gradient(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps)
    for _ in range(steps):
        slope(model, x_adv, y)
        x_adv = linf(x_adv + step_size * slope(model, x, y)[1].sign(), x, eps)
    return x_adv


def never_zeroed(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps).requires_grad_()
    for _ in range(steps):
        F.cross_entropy(model(x_adv), y, reduction="sum").backward(inputs=[x_adv])
        with torch.no_grad():
            x_adv.copy_(linf(x_adv + step_size * x_adv.grad.sign(), x, eps))
    return x_adv.detach()


def from_x_each_time(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps)
    for _ in range(steps):
        x_adv = linf(x + step_size * slope(model, x_adv, y)[1].sign(), x, eps)
    return x_adv


def tracked(model, x, y, eps, step_size, steps):
    return right_pgd(model, x, y, eps, step_size, steps).requires_grad_()


def recording_x(model, x, y, eps, step_size, steps):
    x.requires_grad_()
    return right_pgd(model, x.detach(), y, eps, step_size, steps)


def in_the_weights(model, x, y, eps, step_size, steps):
    F.cross_entropy(model(x), y).backward()
    return right_pgd(model, x, y, eps, step_size, steps)


def in_training_mode(model, x, y, eps, step_size, steps):
    return right_pgd(model.train(), x, y, eps, step_size, steps)


def seeded(model, x, y, eps, step_size, steps):
    torch.manual_seed(0)
    return right_pgd(model, x, y, eps, step_size, steps)


def batch_l2(grad):
    return 50 * grad / grad.norm()


def astray(model, x, y, eps, step_size, steps):
    x_adv = linf(x + noise(x, eps), x, eps)
    for step in range(steps):
        x_adv = linf(x_adv + (-step_size if step == 3 else step_size) * slope(model, x_adv, y)[1].sign(), x, eps)
    return x_adv


test_every_right_pgd_is_praised = praises(pgd.check, right_pgd, by_backward, by_margin, walk(start=gaussian_start))

test_a_wrong_pgd_gets_its_sentence = refuses(
    pgd.check,
    (lambda *_: None, "returns nothing"),
    (lambda m, x, y, *_: m(x), "has shape"),
    (lambda m, x, y, *_: x.clone(), "never call the model"),
    (lambda m, x, y, eps, *_: linf(x + eps * slope(m, x, y)[1].sign(), x, eps), "never sees"),
    (lambda m, x, y, *_: x + m.nonsense, "raised AttributeError"),
    (walk(start=lambda x, eps: x), "no random start"),
    (seeded, "no random start"),
    (walk(start=lambda x, eps: linf(x + eps * torch.rand_like(x), x, eps)), "one way only"),
    (walk(start=lambda x, eps: (x + torch.rand_like(x)).clamp(0, 1)), "outside the ball"),
    (walk(start=lambda x, eps: x + noise(x, eps)), "starts outside [0, 1]"),
    (walk(start=lambda x, eps: linf(x + noise(x, eps / 4), x, eps)), "must fill"),
    (walk(direction=lambda grad: -grad.sign()), "downhill"),
    (walk(direction=lambda grad: grad), "further than others"),
    (walk(direction=batch_l2), "further than others"),
    (walk(back=lambda x_adv, x, eps: x_adv), "nothing pulls"),
    (walk(back=box_only), "Project around x"),
    (walk(back=lambda x_adv, x, eps: x + (x_adv - x).clamp(-eps, eps)), "some pixels leave [0, 1]"),
    (walk(stride=lambda step_size, eps, steps: eps), "have length eps."),
    (walk(stride=lambda step_size, eps, steps: eps / steps), "eps / steps"),
    (walk(stride=lambda step_size, eps, steps: step_size / 0.2), "too long by the model's std"),
    (walk(stride=lambda step_size, eps, steps: step_size * 0.2), "too short by the model's std"),
    (walk(stride=lambda step_size, eps, steps: step_size / 2), "but step_size is"),
    (walk(label=lambda model, x: model(x).argmax(1)), "predicted labels"),
    (stale, "follow one gradient"),
    (clean_gradient, "gradient at x"),
    (never_zeroed, "add up"),
    (from_x_each_time, "starts at x again"),
    (walk(count=lambda steps: 0), "not a step"),
    (walk(count=lambda steps: 1), "one step only"),
    (walk(count=lambda steps: steps - 2), "you take 3 steps"),
    (walk(count=lambda steps: steps + 1), "more than the 5"),
    (astray, "right for 3 steps; then it goes another way. Does each step go on from"),
    (walk(choose="last"), "the last image"),
    (walk(choose="all but last"), "after the last step"),
    (walk(choose="batch"), "whole batch"),
    (walk(choose="worst"), "lowest loss"),
    (lambda m, x, *rest: right_pgd(m, x, *rest) - x, "return the perturbation"),
    (lambda m, x, *rest: (right_pgd(m, x, *rest) + 0.01).clamp(0, 1), "never passed"),
    (moved_before_noted, "note where the loss is better first"),
    (never_brought_up_to_date, "the last image"),
    (walk(start=lambda x, eps: linf(x + noise(x, 8 / 255), x, 8 / 255)), "does not follow eps"),
    (walk(back=lambda x_adv, x, eps: linf(x_adv, x, 8 / 255)), "does not follow eps"),
    (walk(stride=lambda *_: 7 / 255), "does not follow step_size"),
    (walk(stride=lambda step_size, eps, steps: 7 / 8 * eps), "does not follow eps"),
    (walk(count=lambda steps: 5), "does not follow steps"),
    (lambda m, x, *rest: right_pgd(m, x, *rest) * 0 + x, "no image of the walk was ever kept"),
    (walk(stride=lambda step_size, eps, steps: 2 * step_size), "but step_size is"),
    (walk(stride=lambda step_size, eps, steps: 255 * step_size), "or by 255?"),
    (walk(back=lambda x_adv, x, eps: linf(x, x_adv, eps)), "exchanged the arguments"),
    (in_place, "in place"),
    (tracked, "detach"),
    (recording_x, "records gradients"),
    (in_the_weights, "gradients of the model's weights"),
    (in_training_mode, "training mode"),
)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_start_a_right_walk_passes_and_its_last_image_does_not(seed):
    """Nobody else's noise is that of the solution: the verdict must not hang on one start."""
    shift = torch.Generator().manual_seed(seed)

    def start(x, eps):
        shifted = noise(x, eps) + 2 * eps * torch.rand(x.shape, generator=shift)
        return linf(x + shifted.remainder(2 * eps) - eps, x, eps)

    pgd.check(walk(start=start))
    with pytest.raises(Mistake, match="the last image"):
        pgd.check(walk(start=start, choose="last"))
