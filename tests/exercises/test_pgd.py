"""The checks of lesson 02 accept every right answer and say what is wrong with each typical wrong one."""

import pytest
import torch
import torch.nn.functional as F

import seminar_lib as sl
from seminar_lib.exercises import pgd
from seminar_lib.exercises.marking import Mistake

from .conftest import praises, refuses

# 2.1: projection


def length(delta, dim=(1, 2, 3)):
    return delta.square().sum(dim, keepdim=True).sqrt()


def project(x_adv, x, eps, norm):
    delta = x_adv - x
    short = delta.clamp(-eps, eps) if norm == "Linf" else delta * (eps / length(delta).clamp_min(1e-12)).clamp(max=1)
    return (x + short).clamp(0, 1)


def project_box_first(x_adv, x, eps, norm):
    x_adv = x_adv.clip(0, 1)
    if norm == "Linf":
        return torch.minimum(torch.maximum(x_adv, x - eps), x + eps)
    result = []
    for image, moved in zip(x, x_adv, strict=True):
        delta = moved - image
        result.append(image + delta * min(1.0, eps / max(float(delta.norm()), 1e-12)))
    return torch.stack(result)


def nearest_of_both(x_adv, x, eps, norm):
    """The exact projection onto ball and box, by bisecting the multiplier of the L2 constraint."""
    if norm == "Linf":
        return project(x_adv, x, eps, norm)
    low, high = torch.zeros(len(x), 1, 1, 1), torch.full((len(x), 1, 1, 1), 1e4)
    for _ in range(80):
        middle = (low + high) / 2
        outside = length(((x_adv + middle * x) / (1 + middle)).clamp(0, 1) - x) > eps
        low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
    found = ((x_adv + high * x) / (1 + high)).clamp(0, 1)
    return torch.where(length(x_adv.clamp(0, 1) - x) <= eps, x_adv.clamp(0, 1), found)


def only(norm, wrong):
    """A wrong answer in one norm, a right one in the other."""
    return lambda x_adv, x, eps, given: (wrong if given == norm else project)(x_adv, x, eps, given)


def scaled(scale):
    return only("L2", lambda x_adv, x, eps, norm: (x + (x_adv - x) * scale(x_adv - x, eps)).clamp(0, 1))


def halfway(x_adv, x, outside, size):
    """What lies outside is taken deep into the ball instead of to its border."""
    return torch.where(outside, x + size / 2 * (x_adv - x).sign(), x_adv).clamp(0, 1)


def project_in_place(x_adv, x, eps, norm):
    return x_adv.copy_(project(x_adv, x, eps, norm))


test_every_right_projection_is_praised = praises(pgd.check_projection, project, project_box_first, nearest_of_both)

test_a_wrong_projection_gets_its_sentence = refuses(
    pgd.check_projection,
    (lambda x_adv, x, eps, norm: None, "returns nothing"),
    (lambda x_adv, x, eps, norm: x_adv.clone(), "nothing was projected"),
    (lambda x_adv, x, eps, norm: x_adv.clamp(0, 1), "clip to [0, 1] only"),
    (lambda x_adv, x, eps, norm: (x_adv - x).clamp(-eps, eps), "return the perturbation"),
    (lambda x_adv, x, eps, norm: x_adv.clamp(-eps, eps), "black image"),
    (lambda x_adv, x, eps, norm: x_adv.clamp(-eps, eps).clamp(0, 1), "black image"),
    (lambda x_adv, x, eps, norm: x + (x_adv - x).clamp(-eps, eps), "leave [0, 1]"),
    (lambda x_adv, x, eps, norm: project(x_adv, x, 2 * eps, norm), "but eps is 0.031"),
    (lambda x_adv, x, eps, norm: project(x_adv, x, eps / 2, norm), "must stay where it is"),
    (lambda x_adv, x, eps, norm: x + 0 * x_adv, "must stay where it is"),
    (
        only("Linf", lambda a, x, e, _: x + (a - x) * (e / (a - x).abs().amax((1, 2, 3), True)).clamp(max=1)),
        "each pixel clipped on its own",
    ),
    (
        only("Linf", lambda a, x, e, _: halfway(a, x, (a - x).abs() > e, e)),
        "Linf: your images are inside the ball and the box",
    ),
    (project_in_place, "in place"),
    (scaled(lambda delta, eps: (eps / delta.norm()).clamp(max=1)), "length of the whole batch"),
    (scaled(lambda delta, eps: (eps / length(delta, 1)).clamp(max=1)), "for each pixel or channel"),
    (scaled(lambda delta, eps: (eps / length(delta, (2, 3))).clamp(max=1)), "for each channel of an image"),
    (scaled(lambda delta, eps: eps / length(delta)), "even one that lay inside"),
    (only("L2", lambda a, x, e, _: project(a, x, e, "Linf")), "That is the Linf ball"),
    (only("L2", lambda a, x, e, _: halfway(a, x, length(a - x) > e, 1 / 99)), "nearer ones"),
    (scaled(lambda delta, eps: length(delta).clamp(max=eps) / length(delta)), "gives NaN"),
)


# 2.2: PGD


def slope(model, x, y, reduction="none"):
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="none")
    grad = torch.autograd.grad(loss.sum() if reduction == "none" else loss.mean(), x)[0]
    return loss.detach(), grad


def linf(x_adv, x, eps):
    return project(x_adv, x, eps, "Linf")


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
    (astray, "right for 3 steps"),
    (walk(choose="last"), "the last image"),
    (walk(choose="all but last"), "after the last step"),
    (walk(choose="batch"), "whole batch"),
    (walk(choose="worst"), "lowest loss"),
    (lambda m, x, *rest: right_pgd(m, x, *rest) - x, "return the perturbation"),
    (lambda m, x, *rest: (right_pgd(m, x, *rest) + 0.01).clamp(0, 1), "never passed"),
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


# 2.3: the length of a step

test_every_right_stride_is_praised = praises(
    pgd.check_stride, lambda eps, steps: 2 * eps / steps, lambda eps, steps: (eps - -eps) / steps
)

test_a_wrong_stride_gets_its_sentence = refuses(
    pgd.check_stride,
    (lambda eps, steps: None, "return one number"),
    (lambda eps, steps: float("inf"), "return one number"),
    (lambda eps, steps: eps / steps, "from the centre"),
    (lambda eps, steps: 2.5 * eps / steps, "Madry's rule"),
    (lambda eps, steps: eps, "Divide the way"),
    (lambda eps, steps: 2 * eps, "`steps` of them"),
    (lambda eps, steps: eps / steps / 2, "across the ball"),
    (lambda eps, steps: 3 * eps / steps, "more than the"),
)


# 2.4: a step of DeepFool


def onto(slopes=lambda grads: grads.abs().sum((2, 3, 4)), choose=lambda distance, gaps: distance.argmin(1), sign=1):
    def to_the_boundary(gaps, grads):
        distance = -gaps / slopes(grads)
        rows, nearest = torch.arange(len(gaps)), choose(distance, gaps)
        return sign * distance[rows, nearest][:, None, None, None] * grads[rows, nearest].sign()

    return to_the_boundary


def image_by_image(gaps, grads):
    result = []
    for gap, grad in zip(gaps, grads, strict=True):
        steps = [abs(g) * torch.sgn(w) / w.abs().sum() for g, w in zip(gap, grad, strict=True)]
        result.append(min(steps, key=lambda step: float(step.abs().max())))
    return torch.stack(result)


def euclidean(gaps, grads):
    length = grads.square().sum((2, 3, 4))
    nearest = (-gaps / length.sqrt()).argmin(1)
    rows = torch.arange(len(gaps))
    return (-gaps / length)[rows, nearest][:, None, None, None] * grads[rows, nearest]


def boundary_in_place(gaps, grads):
    answer = onto()(gaps, grads)
    gaps.zero_()
    return answer


def by_a_detour(gaps, grads):
    """Reaches the right boundary, but not by the shortest way: the steepest pixels move furthest."""
    rows, nearest = torch.arange(len(gaps)), (-gaps / grads.abs().sum((2, 3, 4))).argmin(1)
    w = grads[rows, nearest]
    return -gaps[rows, nearest][:, None, None, None] * w * w.abs() / w.abs().pow(3).sum((1, 2, 3), keepdim=True)


test_every_right_step_is_praised = praises(pgd.check_step, onto(), image_by_image)

test_a_wrong_step_gets_its_sentence = refuses(
    pgd.check_step,
    (lambda gaps, grads: None, "returns nothing"),
    (lambda gaps, grads: grads, "has shape"),
    (onto(sign=-1), "away from the boundary"),
    (onto(choose=lambda distance, gaps: gaps.argmax(1)), "narrowest gap"),
    (onto(choose=lambda distance, gaps: distance.argmax(1)), "farthest boundary"),
    (onto(choose=lambda distance, gaps: torch.zeros_like(distance.argmin(1))), "always go to the first class"),
    (onto(choose=lambda distance, gaps: distance.amin(0).argmin().expand(len(gaps))), "one class for the whole batch"),
    (onto(lambda grads: grads.square().sum((2, 3, 4)).sqrt()), "Euclidean length"),
    (onto(lambda grads: grads.abs().amax((2, 3, 4))), "largest slope"),
    (onto(lambda grads: grads.abs().mean((2, 3, 4))), "average the slopes"),
    (onto(lambda grads: grads.abs().sum((0, 2, 3, 4))), "slopes of the whole batch"),
    (onto(lambda grads: 2 * grads.abs().sum((2, 3, 4))), "should be 0"),
    (euclidean, "L2 step"),
    (by_a_detour, "a smaller perturbation"),
    (boundary_in_place, "in place"),
)
