"""The check of exercise 12.1: a stand-in for a layer that hides its slope."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Mistake, ask, ask_tensor, marks, right, same
from seminar_lib.masking import Ripple
from seminar_lib.purification import Quantise
from seminar_lib.types import Images


@marks
def check_straight_through(straight_through: Answer) -> None:
    """Exercise 12.1: the value of a layer with the derivative of the identity."""
    # One layer with a wild slope and one without any: what helps against the second may fail at the first.
    for layer in (Ripple(height=0.02, length=0.03), Quantise(bits=2)):
        _judge_stand_in(straight_through, layer)
    right("12.1", "Forwards the defence answers as it did; backwards the gradient passes as if it were not there.")


def _judge_stand_in(straight_through: Answer, layer: nn.Module) -> None:
    generator = torch.Generator().manual_seed(2)
    clean, upstream = torch.rand(2, 1, 5, 5, generator=generator), torch.rand(2, 1, 5, 5, generator=generator)
    x = clean.clone().requires_grad_()
    answer = ask("12.1", straight_through, layer, x)
    value = ask_tensor("12.1", lambda: answer, tuple(x.shape))
    truth = layer(clean)
    for wrong, sentence in (
        (clean, "your answer is x itself. Forwards the layer has to do its work: return layer(x), or you attack "
         "another network."),
        (clean + truth, "you return x + layer(x). What is added has to cancel forwards: layer(x) *minus* x, detached."),
        (2 * clean - truth, "your sign is turned: you return x - (layer(x) - x)."),
        (truth - clean, "you return the difference layer(x) - x alone. Add it to x."),
    ):  # fmt: skip
        if same(value, wrong):
            raise Mistake(sentence)
    if not same(value, truth):
        raise Mistake("forwards your answer is not layer(x).")
    grad = torch.autograd.grad((answer * upstream).sum(), x, allow_unused=True)[0] if answer.requires_grad else None
    if grad is None:
        raise Mistake("your answer has no gradient with respect to x: all of it is detached. Detach the layer only.")
    if same(grad, upstream):
        return
    own = _gradient(layer, clean, upstream)
    for wrong, sentence in (
        (own, "backwards you still use the layer's own derivative. Its answer has to be detached."),
        (own + upstream, "backwards you use the layer's own derivative *plus* the identity. Detach layer(x), too."),
        (-upstream, "backwards your sign is turned: the attack would walk downhill."),
        (torch.zeros_like(upstream), "backwards your gradients cancel to zero. Detach the whole difference."),
    ):
        if same(grad, wrong):
            raise Mistake(sentence)
    raise Mistake("backwards the gradient must pass unchanged, as through the identity; yours is changed.")


def _gradient(layer: nn.Module, x: Images, upstream: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad((layer(x) * upstream).sum(), x)[0]
