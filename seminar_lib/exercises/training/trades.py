"""The check of exercise 4.3: the loss of TRADES, from the logits of clean and adversarial images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.losses import divergence
from seminar_lib.types import Labels, Logits

BETA = 6.0


@marks
def check_trades(my_trades: Answer) -> None:
    """Exercise 4.3: cross-entropy of the clean images plus beta times the mean divergence of the predictions."""
    generator = torch.Generator().manual_seed(8)
    clean = torch.randn(5, 4, generator=generator) * 2
    adversarial = clean + torch.randn(5, 4, generator=generator)
    y = torch.tensor([0, 1, 2, 3, 0])
    loss = _asked(my_trades, clean, adversarial, y, BETA)
    if not same(loss, _trades(clean, adversarial, y, BETA)):
        _explain_loss(loss, clean, adversarial, y)
    if not same(_asked(my_trades, clean, adversarial, y, 1.0), _trades(clean, adversarial, y, 1.0)):
        raise Mistake("your loss is right for beta = 6 but not for beta = 1. Is beta an argument or a constant?")
    _judge_slopes(my_trades, clean, adversarial, y)
    right("4.3", "The first term knows the labels; the second only asks the prediction to stand still.")


def _asked(my_trades: Answer, clean: Logits, adversarial: Logits, y: Labels, beta: float) -> Tensor:
    given = clean.clone(), adversarial.clone()
    answer = ask("4.3", my_trades, *given, y.clone(), beta)
    if isinstance(answer, Tensor) and answer.isnan().any():
        raise Mistake(
            "your loss is NaN. F.kl_div takes the logarithm of the one distribution first, and then the other "
            "itself: log probabilities in its second place need log_target=True."
        )
    if isinstance(answer, Tensor) and answer.ndim:
        raise Mistake(f"return one number for the batch; your loss has shape {tuple(answer.shape)}.")
    loss = ask_tensor("4.3", lambda: answer, ())
    if not (torch.equal(given[0], clean) and torch.equal(given[1], adversarial)):
        raise Mistake("you changed the logits in place. Work on copies.")
    return loss


def _trades(clean: Logits, adversarial: Logits, y: Labels, beta: float) -> Tensor:
    return F.cross_entropy(clean, y) + beta * divergence(clean, adversarial).mean()


def _explain_loss(loss: Tensor, clean: Logits, adversarial: Logits, y: Labels) -> None:
    images, classes = clean.shape
    label, moved = F.cross_entropy(clean, y), divergence(clean, adversarial).mean()
    back = divergence(adversarial, clean).mean()
    p, p_adv = clean.softmax(1), adversarial.softmax(1)
    for wrong, sentence in (
        (label + BETA * back, "your divergence is KL(p(x_adv) || p(x)). In F.kl_div(a, b) the *second* is the one in "
         "front: KL(b || a). The clean prediction belongs there."),
        (label + BETA * moved / classes, "you average over all values: reduction='mean' divides by the number of "
         "classes, too. Add up over the classes and average over the images: 'batchmean'."),
        (label + BETA * moved * images, "you add up over the batch. Take the mean over the images: 'batchmean'."),
        (label + BETA * back / classes, "your divergence is turned around, and averaged over the classes, too."),
        (label + BETA * back * images, "your divergence is turned around, and added up over the batch."),
        (F.cross_entropy(clean, y, reduction="sum") + BETA * moved * images, "you add up over the batch. Take the mean "
         "over the images, in both terms."),
        (BETA * label + moved, "beta stands before the cross-entropy. It is the weight of the divergence."),
        (label + moved / BETA, "you divide by beta. In the paper lambda divides, and beta = 1 / lambda multiplies."),
        (label + moved, "beta is missing."),
        (label - BETA * moved, "you reward the divergence. The attack makes it large, training makes it small."),
        (BETA * moved, "the cross-entropy is missing. Without it a network that always says the same is perfect."),
        (label, "the divergence is missing."),
        (F.cross_entropy(adversarial, y) + BETA * moved, "your cross-entropy is that of the adversarial images. TRADES "
         "asks for right answers on clean ones."),
        (label + BETA * F.cross_entropy(adversarial, p), "your second term is the cross-entropy of both predictions. "
         "The divergence subtracts the entropy of the clean one, and is 0 where they agree."),
        (label + BETA * F.cross_entropy(adversarial, clean.argmax(1)), "your second term takes the model's most "
         "probable class for a label. TRADES compares whole predictions."),
        (F.cross_entropy(p, y) + BETA * moved, "you give cross_entropy probabilities. It takes logits, and has the "
         "softmax inside."),
        (label + BETA * F.cross_entropy(adversarial, y), "your second term knows the labels. TRADES compares the two "
         "predictions and nothing else."),
        (label + BETA * _kl(p_adv, p), "the first argument of F.kl_div must be a logarithm: take log_softmax there."),
        (label + BETA * _kl(adversarial, p), "you put logits into F.kl_div. It needs log_softmax of them."),
        (label + BETA * _kl(adversarial.log_softmax(0), clean.softmax(0)), "your softmax runs over the batch. The "
         "classes are dimension 1."),
        (label + BETA * (p - p_adv).square().sum(1).mean(), "that is the squared distance of the probabilities. TRADES "
         "uses the Kullback-Leibler divergence."),
    ):  # fmt: skip
        if same(loss, wrong):
            raise Mistake(sentence)
    raise Mistake(
        f"the cross-entropy here is {label:.3f} and the mean divergence {moved:.3f}, so with beta = {BETA:g} the loss "
        f"is {label + BETA * moved:.3f}; yours is {loss:.3f}."
    )


def _kl(log_q: Tensor, p: Tensor) -> Tensor:
    """What F.kl_div makes of its two arguments, whatever they are."""
    return F.kl_div(log_q, p, reduction="batchmean")


def _judge_slopes(my_trades: Answer, clean: Logits, adversarial: Logits, y: Labels) -> None:
    """The value says nothing of what was detached: that shows in the gradients."""
    given = clean.clone().requires_grad_(), adversarial.clone().requires_grad_()
    loss = ask("4.3", my_trades, *given, y, BETA)
    if not loss.requires_grad:
        raise Mistake("your number is right, but no gradient leads back from it. Leave out float(), item() or no_grad.")
    slopes = torch.autograd.grad(loss, given, allow_unused=True)
    expected = torch.autograd.grad(_trades(*given, y, BETA), given)
    if slopes[1] is None or not slopes[1].any():
        raise Mistake("your number is right, but you detached the adversarial prediction, so that it never moves.")
    if slopes[0] is None or not same(slopes[0], expected[0]):
        raise Mistake(
            "your number is right, but you detached the clean prediction in the divergence. In the paper's eq. 5, and "
            "in its code, both predictions move towards each other."
        )
    if not same(slopes[1], expected[1]):
        raise Mistake("your number is right, but its gradient is not that of the loss.")
