"""The check of exercise 3.3: DLR, a loss without a scale."""

from __future__ import annotations

import torch

from seminar_lib.exercises.marking import Answer, Mistake, ask_loss, ask_tensor, judge_slope, marks, right, same
from seminar_lib.losses import dlr, margin


@marks
def check_loss(my_dlr: Answer) -> None:
    """Exercise 3.3: the difference of logits ratio of each image."""
    leaf = (torch.randn(6, 5, generator=torch.Generator().manual_seed(4)) * 3).requires_grad_()
    logits = leaf.detach()
    order = logits.argsort(1, descending=True)
    y = order[torch.arange(6), torch.tensor([0, 0, 0, 1, 2, 4])]  # three right answers, three wrong ones
    given = leaf.clone(), y.clone()
    loss = ask_loss("3.3", my_dlr, (6,), *given)
    if not (torch.equal(given[0], logits) and torch.equal(given[1], y)):
        raise Mistake("you changed the logits or the labels in place. Work on copies.")
    answer, expected = loss.detach(), dlr(logits, y)
    if same(answer, expected):
        judge_slope(loss, dlr(leaf, y), [leaf])
        if not same(ask_tensor("3.3", my_dlr, (6,), 1000 * logits, y), expected):
            raise Mistake("logits that are 1000 times as large change your loss. Does something keep its scale?")
        right("3.3", "Logits that are 1000 times as large give the same loss, and so the same gradient signs.")
        return
    first, second, third, *_, last = logits.sort(1, descending=True).values.unbind(1)
    upwards = logits.sort(1).values
    lead = margin(logits, y)
    own = logits.gather(1, y[:, None]).squeeze(1)
    for wrong, sentence in (
        (-expected, "your sign is turned: the loss has to be large where the network is wrong."),
        (lead, "that is the margin alone. Divide it by z_(1) - z_(3)."),
        (lead / (first - second), "you divide by z_(1) - z_(2); then every right answer has the loss -1. Take z_(3)."),
        (lead / (second - third), "you divide by z_(2) - z_(3). Take z_(1) - z_(3)."),
        ((first - own) / (first - third), "your best logit may be the true class itself, so that every right answer "
         "has the loss 0. Take the largest of the *other* classes."),
        ((second - own) / (first - third), "the best wrong class is not always the second: where the network is wrong "
         "it is the first. Leave out the true class and take the largest."),
        ((second - first) / (first - third), "you never ask for the label y: the loss has to be positive where the "
         "network is wrong."),
        (lead / (first - last), "you divide by z_(1) minus the smallest logit. Take z_(1) - z_(3)."),
        (lead / (upwards[:, 0] - upwards[:, 2]), "you sort upwards: z_(1) is the largest "
         "logit. Take descending=True."),
        (lead / first, "you divide by z_(1) alone, which changes when all logits are shifted. Take z_(1) - z_(3)."),
        ((logits.scatter(1, y[:, None], 0).amax(1) - own) / (first - third), "with a zero in its place the true class "
         "may still be the largest. Put minus infinity there."),
        (dlr(logits.softmax(1), y), "you use probabilities. Their scale is what hides the slope; take the logits."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    i = int((answer - expected).abs().argmax())
    raise Mistake(
        f"for logits {[round(z, 2) for z in logits[i].tolist()]} and label {int(y[i])} the loss is {expected[i]:.3f}; "
        f"yours is {answer[i]:.3f}."
    )
