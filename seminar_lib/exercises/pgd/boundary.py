"""The check of exercise 2.4: one step of DeepFool, onto the nearest linearised boundary."""

from __future__ import annotations

import torch
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right, same
from seminar_lib.types import Images


@marks
def check_step(to_the_boundary: Answer) -> None:
    """Exercise 2.4: the smallest Linf perturbation that reaches the nearest linearised boundary."""
    generator = torch.Generator().manual_seed(3)
    # Of three classes, in this order: flat and narrow, steep and wide, in between.
    grads = torch.randn(6, 3, 3, 8, 8, generator=generator) * torch.tensor([0.3, 4.0, 1.0])[:, None, None, None]
    slopes = grads.abs().sum((2, 3, 4))
    gaps = -torch.tensor([0.5, 2.5, 1.0]) * (0.8 + 0.4 * torch.rand(6, 3, generator=generator))
    gaps[:2, 0], gaps[2:4, 2] = -0.05, -0.1  # which class is the nearest differs from image to image
    given = gaps.clone(), grads.clone()
    answer = ask_tensor("2.4", to_the_boundary, tuple(grads[:, 0].shape), *given)
    if not (torch.equal(given[0], gaps) and torch.equal(given[1], grads)):
        raise Mistake("you changed the gaps or the gradients in place. Work on copies.")
    distance = -gaps / slopes
    nearest = distance.argmin(1)
    expected = _onto(gaps, grads, slopes, nearest)
    if same(answer, expected):
        right("2.4", f"The nearest boundaries are {distance.amin(1).min():.3f} to {distance.amin(1).max():.3f} away.")
        return
    if same(answer, -expected):
        raise Mistake("you walk away from the boundary. A gap is negative, and along its gradient it rises to zero.")
    for classes, sentence in (
        (gaps.argmax(1), "you go to the class with the narrowest gap. The nearest boundary is that of the smallest "
         "distance, gap over slope."),
        (distance.argmax(1), "you go to the farthest boundary. Take the smallest distance."),
        (torch.zeros_like(nearest), "you always go to the first class. Take the nearest of them, image by image."),
        (distance.amin(0).argmin().expand(6), "you choose one class for the whole batch. Each image has its own."),
    ):  # fmt: skip
        if same(answer, _onto(gaps, grads, slopes, classes)):
            raise Mistake(sentence)
    for slope, sentence in (
        (grads.square().sum((2, 3, 4)).sqrt(), "you divide by the Euclidean length of the gradient. If every pixel "
         "moves by the same amount, the gap closes by the sum of all |slopes|."),
        (grads.abs().amax((2, 3, 4)), "you divide by the largest slope, as if one pixel moved alone. All of them move: "
         "add up the |slopes|."),
        (grads.abs().mean((2, 3, 4)), "you average the slopes over the pixels. All pixels move, so they add up."),
        (slopes.sum(0, keepdim=True).expand_as(slopes), "you add up the slopes of the whole batch. Each image has its "
         "own."),
    ):  # fmt: skip
        if same(answer, _onto(gaps, grads, slope, (-gaps / slope).argmin(1))):
            raise Mistake(sentence)
    rows = torch.arange(6)
    chosen = grads[rows, nearest]
    for wrong, sentence in (
        (distance.amin(1)[:, None, None, None] * chosen, "you walk along the gradient itself. In the Linf ball all "
         "pixels move by one amount: take its sign."),
        (distance.min() * chosen.sign(), "you take one distance for the whole batch. Each image has its own."),
        (-gaps.gather(1, nearest[:, None])[..., None, None] * chosen.sign(), "you walk as far as the gap is wide. "
         "Divide it by the sum of all |slopes|."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    length = grads.square().sum((2, 3, 4))
    euclidean = (-gaps / length.sqrt()).argmin(1)
    step = (-gaps / length).gather(1, euclidean[:, None])[..., None, None] * grads[rows, euclidean]
    if same(answer, step):
        raise Mistake("that is the L2 step, along the gradient itself. In the Linf ball the way is along its sign.")
    closed = gaps + (grads * answer[:, None]).sum((2, 3, 4))
    best = closed.gather(1, nearest[:, None]).squeeze(1)
    if best.abs().max() > 1e-3:
        i = int(best.abs().argmax())
        raise Mistake(
            f"after your step the gap to the nearest class should be 0 if the model were linear; for image {i} it was "
            f"{gaps[i, nearest[i]]:.3f} and is {best[i]:.3f} now."
        )
    raise Mistake("you reach the boundary, but a smaller perturbation does so too: move all pixels by one amount.")


def _onto(gaps: Tensor, grads: Tensor, slopes: Tensor, classes: Tensor) -> Images:
    """The Linf perturbation towards one class for each image, as long as gap over slope."""
    rows = torch.arange(len(gaps))
    return (-gaps / slopes)[rows, classes][:, None, None, None] * grads[rows, classes].sign()
