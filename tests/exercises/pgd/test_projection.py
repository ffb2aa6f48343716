"""Exercise 2.1 accepts every right projection and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import pgd

from ..conftest import praises, refuses


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
    (only("Linf", lambda a, x, e, _: project(a, x, e, "L2")), "Linf: you project onto the L2 ball"),
    (only("Linf", lambda a, x, e, _: project(a, x, 8 / 255, "Linf")), "Linf: your answer does not follow eps"),
    (only("L2", lambda a, x, e, _: project(a, x, 0.5, "L2")), "L2: your answer does not follow eps"),
    (lambda x_adv, x, eps, norm: project(x, x_adv, eps, norm), "centred at x_adv"),
    (project_in_place, "in place"),
    (scaled(lambda delta, eps: (eps / delta.abs().sum((1, 2, 3), True)).clamp(max=1)), "the L1 length"),
    (scaled(lambda delta, eps: (eps / length(delta).square()).clamp(max=1)), "lacks the root"),
    (
        scaled(lambda delta, eps: (eps / delta.abs().amax((1, 2, 3), True)).clamp(max=1)),
        "the largest change for the length",
    ),
    (scaled(lambda delta, eps: (eps / length(delta) * 192**0.5).clamp(max=1)), "every perturbation for a short one"),
    (scaled(lambda delta, eps: (eps / delta.norm()).clamp(max=1)), "length of the whole batch"),
    (scaled(lambda delta, eps: (eps / length(delta, 1)).clamp(max=1)), "for each pixel or channel"),
    (scaled(lambda delta, eps: (eps / length(delta, (2, 3))).clamp(max=1)), "for each channel of an image"),
    (scaled(lambda delta, eps: eps / length(delta)), "even one that lay inside"),
    (only("L2", lambda a, x, e, _: project(a, x, e, "Linf")), "That is the Linf ball"),
    (only("L2", lambda a, x, e, _: halfway(a, x, length(a - x) > e, 1 / 99)), "nearer ones"),
    (scaled(lambda delta, eps: length(delta).clamp(max=eps) / length(delta)), "gives NaN"),
)
