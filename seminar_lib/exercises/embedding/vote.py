"""The check of exercise 8.2: what the nearest training embeddings vote for."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask_tensor, marks, right
from seminar_lib.types import Labels


@marks
def check_vote(vote: Answer) -> None:
    """Exercise 8.2: for each embedding, the label that most of its k nearest training embeddings have."""
    for k in (5, 3):
        _judge(vote, k)
    right("8.2", "What this vote gets wrong was lost in the embedding; the linear classifier has no part in it.")


def _judge(vote: Answer, k: int) -> None:
    generator = torch.Generator().manual_seed(2)
    middles = 3 * torch.randn(4, 5, generator=generator)
    y_train = torch.arange(40) % 4
    z_train = middles[y_train] + 4 * torch.randn(40, 5, generator=generator)
    z = middles[torch.arange(30) % 4] + 4 * torch.randn(30, 5, generator=generator)
    order = y_train[torch.cdist(z, z_train).argsort(1)]
    votes = F.one_hot(order[:, :k], 4).sum(1).sort(1, descending=True).values
    clear = votes[:, 0] > votes[:, 1]  # however an answer breaks ties, it is right
    z, order = z[clear], order[clear]
    answer = ask_tensor("8.2", vote, (len(z),), z.clone(), z_train.clone(), y_train.clone(), k)
    if answer.is_floating_point() and not torch.equal(answer, answer.round()):
        raise Mistake(f"labels are whole numbers; you return {answer[0]:.2f}. Names have no mean: count the votes.")
    expected = _most(order[:, :k])
    if torch.equal(answer.long(), expected):
        return
    inner = z @ z_train.T
    for wrong, sentence in (
        (torch.cdist(z, z_train).argmin(1), "you return the place of a neighbour. Look up its label in y_train."),
        (order[:, 0], "you ask the nearest one alone. Let all k vote."),
        (_most(order[:, :5]), "you ask five, whatever k is."),
        (order[:, :k].median(1).values, "you take the median of the labels. Names have no order: count the votes, "
         "mode(dim=1)."),
        (_most(order[:, -k:]), "you ask the farthest ones. topk takes the largest values: say largest=False."),
        (_most(order), "you let all training images vote. Take the k nearest."),
        (_most(order[:, 1 : k + 1]), "you leave out the nearest one. The images are no training images: none of them "
         "is its own neighbour."),
        (_most(y_train[inner.argsort(1, descending=True)][:, :k]), "you call near what has a large inner product. That "
         "favours long embeddings; take the Euclidean distance, as torch.cdist does."),
        (_most(y_train[torch.cdist(F.normalize(z, dim=1), F.normalize(z_train, dim=1)).argsort(1)][:, :k]), "you "
         "compare directions only. This vote is about the distance between the embeddings themselves."),
    ):  # fmt: skip
        if torch.equal(answer.long(), wrong):
            raise Mistake(sentence)
    row = int((answer.long() != expected).nonzero()[0])
    raise Mistake(
        f"the {k} nearest of embedding {row} have the labels {order[row, :k].tolist()}, most of them "
        f"{int(expected[row])}; you return {int(answer[row])}."
    )


def _most(labels: Tensor) -> Labels:
    """The most frequent label of each row; the smallest of equals."""
    return F.one_hot(labels, 4).sum(1).argmax(1)
