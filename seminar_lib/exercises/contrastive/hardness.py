"""The check of exercise 6.2: how much each positive counts, the least similar most."""

from __future__ import annotations

from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.contrastive import positive_weights
from seminar_lib.exercises.contrastive.usual import SCORE_ZERO, embeddings
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_loss, marks, right, same

Y = torch.tensor([0, 1, 2, 2, 1, 2, 0, 2, 1])
ALONE = torch.tensor([0, 1, 0, 2, 0, 2, 2, 0, 0])  # the second embedding has nobody
BETA = 1.5


@marks
def check_weights(my_weights: Answer) -> None:
    """Exercise 6.2: weights proportional to exp(-beta s) over the positives of each anchor."""
    _judge(my_weights, Y, BETA)
    _judge(my_weights, Y, 0.0)
    _judge(my_weights, ALONE, BETA)
    right("6.2", "The positives that are still far away pull most; with beta = 0 all pull alike, and it is SupCon.")


def _judge(my_weights: Answer, y: Tensor, beta: float) -> None:
    z = F.normalize(embeddings(len(y), seed=9), dim=1)
    cosine = z @ z.T
    # A clone of what requires a gradient may be changed in place, so that this shows.
    given = cosine.clone().requires_grad_().clone(), y.clone()
    answer = ask("6.2", my_weights, *given, beta)
    if not (torch.equal(given[0], cosine) and torch.equal(given[1], y)):
        raise Mistake("you changed the cosines or the labels in place. Work on copies: masked_fill, not masked_fill_.")
    itself = torch.eye(len(y), dtype=torch.bool)
    kind = y[:, None] == y
    positive = kind & ~itself
    if isinstance(answer, Tensor) and answer.isnan().any():
        raise Mistake(
            "your weights hold NaN, though every embedding has a positive. What is not defined between an embedding "
            "and itself, whose cosine may be a little above 1, stays NaN when it is multiplied by 0: use masked_fill."
            if positive.any(1).all()
            else "your weights hold NaN. An embedding that is alone in its class has no positive, and what is shared "
            "out among nobody is 0 / 0: its row is 0."
        )
    answer = ask_loss("6.2", lambda: answer, tuple(cosine.shape))
    if not same(answer, positive_weights(cosine, positive, beta)):
        raise Mistake(_explain(answer.detach(), cosine, kind, positive, beta))
    if answer.requires_grad:
        raise Mistake(
            "your weights are right, but they carry a gradient. Through them the loss could also fall by pushing easy "
            "positives away, which would then count for more beside the hard ones. Use cosine.detach()."
        )


def _explain(answer: Tensor, cosine: Tensor, kind: Tensor, positive: Tensor, beta: float) -> str:
    def shared_out(sign: float, among: Tensor, dim: int = 1, left_out: float = -inf) -> Tensor:
        return (sign * beta * cosine).masked_fill(~among, left_out).softmax(dim).nan_to_num()

    raw = (-beta * cosine).exp() * positive
    every, others = torch.ones_like(positive), ~torch.eye(len(cosine), dtype=torch.bool)
    negatives = (
        "you share out among the whole batch. Negatives are no positives: their weight is 0, and those of the "
        "positives sum to 1 without them."
    )
    for wrong, sentence in (
        (raw, "you return exp(-beta s) as it is. Divide by the sum of the row, so that the weights of an anchor sum to "
         "1; else beta = 0 would not be SupCon."),
        (shared_out(1, positive), "your sign is turned: the *most* similar positives count most. Those are done with; "
         "the hard ones are far away, with a small cosine."),
        (shared_out(-1, every), negatives),
        (shared_out(-1, others), negatives),
        (shared_out(-1, every) * positive, negatives),
        (shared_out(-1, others) * positive, negatives),
        (shared_out(-1, positive, left_out=0.0), SCORE_ZERO),
        (shared_out(-1, positive, left_out=0.0) * positive, SCORE_ZERO),
        (shared_out(-1, kind), "the anchor is among its own positives. Take it out: & ~torch.eye(...).bool()."),
        (shared_out(-1, kind) * positive, "the anchor has a share, too, so that those of its positives do not sum to "
         "1. Take it out before you share out."),
        (shared_out(-1, positive) * positive.sum(1, keepdim=True), "the weights of each anchor sum to the number of "
         "its positives. They have to sum to 1; else beta = 0 would be SupCon with large classes counted more."),
        (raw / raw.sum(), "you divide by the sum of all weights. Each anchor has a sum of its own: sum(1, "
         "keepdim=True)."),
        (shared_out(-1, positive, dim=0), "your columns sum to 1. Row i holds the weights of anchor i: its *row* has "
         "to sum to 1."),
        (positive / positive.sum(1, keepdim=True).clamp(min=1), "beta plays no part in your weights: all positives "
         "count alike."),
        (shared_out(-1, ~kind), "you weigh the embeddings of *other* classes: y[:, None] == y marks the same class."),
    ):  # fmt: skip
        if same(answer, wrong):
            return sentence
    i = int((answer - positive_weights(cosine, positive, beta)).abs().sum(1).argmax())
    expected = [round(w, 3) for w in positive_weights(cosine, positive, beta)[i][positive[i]].tolist()]
    return (
        f"with beta = {beta:g} the positives of anchor {i} have the weights {expected}; in your row they are "
        f"{[round(w, 3) for w in answer[i][positive[i]].tolist()]}."
    )
