"""The check of exercise 5.1: NT-Xent, where each image finds its other view among all others."""

from __future__ import annotations

from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.contrastive import nt_xent
from seminar_lib.exercises.contrastive.usual import (
    TEMPERATURE,
    embeddings,
    log_shares,
    over_positives,
    usual_mistakes,
)
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_loss, judge_slope, marks, right, same
from seminar_lib.types import Embeddings, PerExample

IMAGES = 5


@marks
def check_nt_xent(my_nt_xent: Answer) -> None:
    """Exercise 5.1: the NT-Xent of each image, the mean over its two views as anchors."""
    leaves = [embeddings(IMAGES, seed).requires_grad_() for seed in (7, 8)]
    z, z2 = (leaf.detach() for leaf in leaves)
    given = [leaf.clone() for leaf in leaves]
    answer = ask("5.1", my_nt_xent, *given, TEMPERATURE)
    if isinstance(answer, Tensor):
        _refuse_broken(answer)
    answer = ask_loss("5.1", lambda: answer, (IMAGES,))
    if not (torch.equal(given[0], z) and torch.equal(given[1], z2)):
        raise Mistake("you changed the embeddings in place. Work on copies.")
    expected = nt_xent(leaves[0], leaves[1], TEMPERATURE)
    if not same(answer, expected):
        raise Mistake(_explain(answer.detach(), z, z2))
    judge_slope(answer, expected, leaves)
    right("5.1", f"Each anchor finds its other view among {2 * IMAGES - 1}. Not a single label was needed.")


def _refuse_broken(answer: Tensor) -> None:
    if answer.isnan().any():
        raise Mistake(
            "your loss is NaN. An identity matrix times infinity is: 0 * inf. Put -inf on the diagonal with "
            "masked_fill."
        )
    if answer.isinf().any():
        raise Mistake(
            "your loss is infinite: an anchor is asked to find what has been taken out of the sum, itself. Its "
            "positive is the other view: row i + B for row i, and row i for row i + B."
        )
    if answer.shape == (2 * IMAGES,):
        raise Mistake("you return a loss for each of the 2B anchors. Return the mean of the two of each image, (B,).")


def _explain(answer: PerExample, z: Embeddings, z2: Embeddings) -> str:
    both = torch.cat([z, z2])
    itself = torch.eye(2 * IMAGES, dtype=torch.bool)
    every, image = torch.ones_like(itself), torch.arange(IMAGES)
    positive = _together(image.repeat(2)) & ~itself
    u, expected = F.normalize(both, dim=1), nt_xent(z, z2, TEMPERATURE)
    across = F.normalize(z, dim=1) @ F.normalize(z2, dim=1).T / TEMPERATURE
    shares = (u @ u.T / TEMPERATURE).masked_fill(itself, -inf).softmax(1)
    other_view = torch.arange(2 * IMAGES).roll(IMAGES)
    of_anchors, view_by_view = (
        over_positives(log_shares(views, ~itself), positive)
        for views in (u, torch.cat([F.normalize(view, dim=0) for view in (z, z2)]))
    )
    there, back = (F.cross_entropy(scores, image, reduction="none") for scores in (across, across.T))
    one_view = (
        "your anchors see the other view only. The sum runs over all other embeddings, those of the same view too."
    )
    for wrong, sentence in (
        *((_of_images(wrong), sentence) for wrong, sentence in usual_mistakes(both, positive)),
        (_of_images(over_positives(log_shares(u, ~itself), _together(torch.arange(2 * IMAGES) // 2) & ~itself)),
         "your pairs are neighbouring rows. In torch.cat([z, z2]) the other view of row i is row i + B."),
        (_of_images(view_by_view), "you normalise each feature over its view. Each embedding has a length of its own: "
         "dim=1."),
        (of_anchors.view(-1, 2).mean(1), "you take the mean of neighbouring rows. The two anchors of image i are rows "
         "i and i + B: .view(2, -1).mean(0), or chunk(2)."),
        (_of_images(over_positives(log_shares(u, every), itself)), "you ask each anchor to find itself. Its positive "
         "is the other view of the same image."),
        (_of_images(F.cross_entropy(shares, other_view, reduction="none")), "you give cross_entropy shares. It takes "
         "scores, and has the softmax inside."),
        ((there + back) / 2, one_view),
        (there, one_view),
        (nt_xent(z, z2, TEMPERATURE, symmetric=False), "only the embeddings in z are your anchors. Those in z2 take "
         "their turn, too; return the mean of the two."),
        (nt_xent(z2, z, TEMPERATURE, symmetric=False), "only the embeddings in z2 are your anchors. Those in z take "
         "their turn, too; return the mean of the two."),
        (2 * expected, "you add up the losses of the two anchors of an image. Take their mean."),
        (expected / IMAGES, "you divide by the number of images. Return one value for each, and take no mean."),
    ):  # fmt: skip
        if same(answer, wrong):
            return sentence
    return (
        f"the loss of the first image is {expected[0]:.3f}; yours is {answer[0]:.3f}. For each anchor: minus the "
        "logarithm of the share that its other view has in the sum over all other embeddings."
    )


def _together(group: Tensor) -> Tensor:
    """Which two embeddings are of one group, bool (N, N)."""
    return group[:, None] == group


def _of_images(of_anchors: PerExample) -> PerExample:
    """The mean over the two anchors of each image."""
    return of_anchors.view(2, -1).mean(0)
