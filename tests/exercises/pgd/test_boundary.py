"""Exercise 2.4 accepts every right step of DeepFool and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import pgd

from ..conftest import praises, refuses


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


def along_the_gradient(gaps, grads):
    distance = -gaps / grads.abs().sum((2, 3, 4))
    rows, nearest = torch.arange(len(gaps)), distance.argmin(1)
    return distance[rows, nearest][:, None, None, None] * grads[rows, nearest]


def one_distance(gaps, grads):
    distance = -gaps / grads.abs().sum((2, 3, 4))
    return distance.min() * grads[torch.arange(len(gaps)), distance.argmin(1)].sign()


def gap_wide(gaps, grads):
    nearest = (-gaps / grads.abs().sum((2, 3, 4))).argmin(1)
    rows = torch.arange(len(gaps))
    return -gaps[rows, nearest][:, None, None, None] * grads[rows, nearest].sign()


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
    (along_the_gradient, "along the gradient itself"),
    (one_distance, "one distance for the whole batch"),
    (gap_wide, "as far as the gap is wide"),
    (lambda gaps, grads: 1.02 * onto()(gaps, grads), "for image"),
    (euclidean, "L2 step"),
    (by_a_detour, "a smaller perturbation"),
    (boundary_in_place, "in place"),
)
