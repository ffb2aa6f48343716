"""The check of exercise 10.1: the gradient at the purified image, which is BPDA with the identity."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask_tensor, marks, right, same
from seminar_lib.purification import Quantise, TotalVariation
from seminar_lib.types import Images, Labels


@marks
def check_around(gradient_around: Answer) -> None:
    """Exercise 10.1: the gradient of each image's cross-entropy, taken where the network looks."""
    # One purifier without any slope, and one whose slope is no reason to trust it.
    for purifier in (Quantise(bits=2), TotalVariation(weight=0.1, drop=0.0, steps=10)):
        _judge(gradient_around, purifier)
    right("10.1", "The network is asked about what it will see, and the answer is carried back past the purifier.")


def _judge(gradient_around: Answer, purifier: nn.Module) -> None:
    example = Example()
    x, y, name = example.x.clone(), example.y.clone(), type(purifier).__name__
    answer = ask_tensor("10.1", gradient_around, tuple(x.shape), purifier, example.model, x, y)
    if not (torch.equal(x, example.x) and torch.equal(y, example.y)):
        raise Mistake("you changed x or y in place. Work on copies.")
    z = purifier(example.x)
    expected = _gradient(example.model, z, example.y)
    if same(answer, expected):
        return
    for wrong, sentence in (
        (torch.zeros_like(expected), f"your gradient is zero: you went back through {name}, which has no slope. Take "
         "the derivative with respect to the purified image."),
        (_gradient(nn.Sequential(purifier, example.model), example.x, example.y), f"you go back through {name} by its "
         "own derivative. BPDA leaves it out: take the derivative with respect to the purified image."),
        (_gradient(example.model, example.x, example.y), "you ask the network about x itself. That is the blind "
         "adversary: the network will see the purified image."),
        (_gradient(example.model, purifier(z), example.y), "you purify twice."),
        (expected / len(x), "you divide by the number of images. Add up the losses of the batch: reduction='sum'."),
        (-expected, "your sign is turned: the gradient has to point uphill."),
        (expected.sign(), "you return its sign. PGD takes the sign; return the gradient itself."),
        (_gradient(example.model, z, example.model(z).argmax(1)), "you take the network's own answers for labels. The "
         "loss is that of y."),
        (z.detach(), "you return the purified images. Return the gradient there."),
    ):  # fmt: skip
        if same(answer, wrong):
            raise Mistake(sentence)
    raise Mistake(f"behind {name} that is not the gradient of the cross-entropy at the purified image.")


def _gradient(model: nn.Module, x: Images, y: Labels) -> Images:
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x, materialize_grads=True)[0]
