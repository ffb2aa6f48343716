"""The check of exercise 6.1: SupCon, where everything of the same class is a positive."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.contrastive import sup_con
from seminar_lib.exercises.contrastive.usual import (
    TEMPERATURE,
    embeddings,
    log_shares,
    over_positives,
    usual_mistakes,
)
from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_loss, judge_slope, marks, right, same
from seminar_lib.types import Embeddings, Labels, PerExample

Y = torch.tensor([0, 1, 2, 2, 1, 2, 0, 2, 1])  # classes of 2, 3 and 4: a wrong count shows
ALONE = torch.tensor([0, 1, 0, 2, 0, 2, 2, 0, 0])  # the second embedding has nobody


@marks
def check_sup_con(my_sup_con: Answer) -> None:
    """Exercise 6.1: SupCon of each embedding, the mean of the logarithms over its class."""
    _judge(
        my_sup_con,
        Y,
        "your loss holds NaN or infinity. Where the anchor itself is taken out of the sum the logarithm of its share "
        "is -inf, and 0 * -inf is NaN. Put a 0 there before you add up.",
    )
    _judge(
        my_sup_con,
        ALONE,
        "an embedding that is alone in its class has no positive, and 0 / 0 is NaN. There is nothing to pull it to: "
        "its loss is 0. Divide by positive.sum(1).clamp(min=1).",
    )
    right("6.1", "A class is pulled together and all others are pushed away, whatever the image.")


def _judge(my_sup_con: Answer, y: Labels, where_broken: str) -> None:
    leaf = embeddings(len(y), seed=9).requires_grad_()
    z, given = leaf.detach(), (leaf.clone(), y.clone())
    answer = ask("6.1", my_sup_con, *given, TEMPERATURE)
    if isinstance(answer, Tensor) and not answer.isfinite().all():
        raise Mistake(where_broken)
    answer = ask_loss("6.1", lambda: answer, (len(y),))
    if not (torch.equal(given[0], z) and torch.equal(given[1], y)):
        raise Mistake("you changed the embeddings or the labels in place. Work on copies.")
    expected = sup_con(leaf, y, TEMPERATURE)
    if not same(answer, expected):
        raise Mistake(_explain(answer.detach(), z, y))
    judge_slope(answer, expected, [leaf])


def _explain(answer: PerExample, z: Embeddings, y: Labels) -> str:
    u, itself = F.normalize(z, dim=1), torch.eye(len(z), dtype=torch.bool)
    kind = y[:, None] == y  # with the anchor itself
    positive, count = kind & ~itself, kind.sum(1) - 1
    logs, expected = log_shares(u, ~itself), sup_con(z, y, TEMPERATURE)
    shares = (logs.exp() * positive).sum(1)
    for wrong, sentence in (
        *usual_mistakes(z, positive),
        (-(shares / count).log(), "you take the logarithm of the mean share; SupCon takes the mean of the logarithms. "
         "With yours one near positive is enough, and the far ones are forgotten. (The paper calls the two L_in and "
         "L_out, and L_out trains better.)"),
        (-shares.log(), "you take the logarithm of the sum of the shares; SupCon takes the mean of the logarithms, "
         "one for each positive."),
        (over_positives(log_shares(u, torch.ones_like(itself)), kind), "the anchor counts as its own positive, and is "
         "among the others, too. Take it out of both."),
        (expected * count / (count + 1), "you divide by the size of the class. The anchor is no positive of its own: "
         "there is one less."),
        (expected * count / len(z), "you divide by the number of all embeddings. Take the mean over the positives of "
         "each anchor."),
        (expected * count / (len(z) - 1), "you divide by the number of all others. Take the mean over the positives "
         "of each anchor."),
        (expected * count, "you add up over the positives, so large classes count more. Take their mean."),
        (over_positives(logs, ~kind), "your positives are the embeddings of *other* classes: y[:, None] == y marks "
         "the same class."),
        (expected * TEMPERATURE / 0.07, "you multiply by temperature / 0.07, as the authors' code does. Their formula, "
         "eq. 2, does not."),
        (expected / len(z), "you divide by the number of embeddings. Return one value for each, and take no mean."),
    ):  # fmt: skip
        if same(answer, wrong):
            return sentence
    i = int((answer - expected).abs().argmax())
    return (
        f"the loss of embedding {i} is {expected[i]:.3f}; yours is {answer[i]:.3f}. For each positive: minus the "
        "logarithm of its share in the sum over all other embeddings; then their mean."
    )
