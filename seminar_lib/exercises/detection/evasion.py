"""The check of exercise 11.3: what an adversary climbs who has to fool a classifier and a detector at once."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_loss, judge_slope, marks, right, same
from seminar_lib.losses import margin

THRESHOLD = 2.0


@marks
def check_evasion(evading: Answer) -> None:
    """Exercise 11.3: the loss of two terms, and which images have won."""
    generator = torch.Generator().manual_seed(11)
    logits = 2 * torch.randn(8, 5, generator=generator)
    said = logits.argmax(1)
    y = torch.where(torch.arange(8) < 4, (said + 1) % 5, said)  # the first four are wrong
    scores = torch.tensor([0.5, 3.5, THRESHOLD, 2.2, 0.2, 4.0, 1.5, 2.1])  # the third stands on the threshold
    logits.requires_grad_(), scores.requires_grad_()
    answer = ask("11.3", evading, logits, y, scores, THRESHOLD)
    loss, won = _two(answer)
    _judge_loss(ask_loss("11.3", lambda: loss, (8,)), logits, y, scores)
    _judge_won(won, said != y, scores.detach() <= THRESHOLD)
    right("11.3", "Nothing in it is secret and nothing is special: whoever knows the detector can write it down.")


def _two(answer: Any) -> tuple[Any, Tensor]:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise Mistake(f"return two things, the loss and who has won; you return a {type(answer).__name__}.")
    loss, won = answer
    if not isinstance(won, Tensor) or won.dtype != torch.bool or won.shape != (8,):
        raise Mistake("who has won is a bool for each image, (B,).")
    return loss, won


def _judge_loss(loss: Tensor, logits: Tensor, y: Tensor, scores: Tensor) -> None:
    """The value first, then the slope with respect to logits and scores."""
    wrong_label = F.cross_entropy(logits, y, reduction="none")
    above = (scores - THRESHOLD).clamp_min(0)
    expected = wrong_label - above
    for wrong, sentence in (
        (wrong_label + above, "you reward a high score. The adversary wants a low one: subtract."),
        (-wrong_label - above, "your cross-entropy has the wrong sign: the adversary climbs it, away from y."),
        (above - wrong_label, "both signs are turned: that is what a defender would climb."),
        (wrong_label - scores + THRESHOLD, "your second term goes on below the threshold, and there lets the adversary "
         "pay for a needlessly low score with a label that stays right. Clamp it at the threshold."),
        (wrong_label - scores, "where is the threshold? A score that is accepted need not be lower."),
        (wrong_label + (THRESHOLD - scores).clamp_min(0), "your clamp is on the wrong side: above the threshold, where "
         "the alarm is on, your second term has no slope."),
        (wrong_label, "you have the first term alone: that is the oblivious adversary."),
        (-above, "you have the second term alone. A clean image has no alarm either: a wrong label is wanted, too."),
        (margin(logits, y) - above, "your first term is the margin. It works as well, and often better; here the "
         "cross-entropy is asked for."),
        (F.cross_entropy(logits, logits.argmax(1), reduction="none") - above, "you take the network's own answers for "
         "labels. The cross-entropy is that of y."),
        (wrong_label - above.mean(), "you average the second term over the batch. Each image has its own alarm."),
        (wrong_label.mean() - above, "you average the first term over the batch: reduction='none'."),
        (wrong_label - (scores > THRESHOLD).float(), "you subtract 1 where the alarm is on. A step has no slope: take "
         "how far the score is above the threshold."),
    ):  # fmt: skip
        if same(loss.detach(), wrong.detach()):
            raise Mistake(sentence)
    if not same(loss.detach(), expected.detach()):
        raise Mistake("that is not the cross-entropy minus what the score has above the threshold, image by image.")
    away = scores.detach() != THRESHOLD  # at the kink itself any slope between the two sides will do
    judge_slope(loss[away], expected[away], (logits, scores))


def _judge_won(won: Tensor, fooled: Tensor, accepted: Tensor) -> None:
    if torch.equal(won, fooled & accepted):
        return
    below = accepted.clone()
    below[2] = False
    for wrong, sentence in (
        (fooled & below, "a score *on* the threshold is accepted: <=."),
        (fooled, "a wrong label is not enough: the image must be accepted, too."),
        (accepted, "to be accepted is not enough: the label must be wrong, too."),
        (fooled | accepted, "you let one of the two suffice: & instead of |."),
        (fooled & ~accepted, "you count the images that are *caught*: wrong and rejected."),
        (~fooled & accepted, "you count the images that are served: right and accepted. That is the defender's aim."),
    ):
        if torch.equal(won, wrong):
            raise Mistake(f"the loss is right, but who has won? {sentence}")
    raise Mistake("the loss is right. The images that have won are those with a wrong label *and* an accepted score.")
