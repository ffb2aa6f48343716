"""The check of exercise 4.1: one step of adversarial training. It looks at the gradients with which a student steps."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from seminar_lib.exercises.marking import Answer, Example, Mistake, ask, marks, right, same
from seminar_lib.types import Images, Labels, Logits

EPS = 16 / 255
RATE = 0.1


@marks
def check_step(my_step: Answer) -> None:
    """Exercise 4.1: find the adversarial images, then take one step of the optimiser on their loss."""
    run = _Run(my_step)
    _judge_attack(run)
    _judge_gradient(run)
    _judge_manners(run)
    _judge_loss(run)
    before, after = (nn.functional.cross_entropy(net(run.found[0]), run.y) for net in (run.before, run.network))
    right("4.1", f"The loss of the adversarial images fell from {before:.2f} to {after:.2f}.")


class _Run:
    """One call of a student's step, with all that the network, the attack and the optimiser saw of it.

    The network has a BatchNorm, whose statistics move in training mode, and gradients that an earlier step left behind.
    The attack is one of those that leave gradients in the weights and run the network in whatever mode it is in.

    Attributes:
        asked: for each call of the attack: the images, the labels, and whether the network was in training mode.
        found: the adversarial images of each call.
        trained_on: the batches that the network saw in training mode, outside of the attack.
        gradients: of all weights in one row, at each step of the optimiser; None where there were none.
        from_attack: what the attack left in the weights.
    """

    def __init__(self, my_step: Answer) -> None:
        example = Example()
        self.before = nn.Sequential(*example.model[:3], nn.BatchNorm1d(16), *example.model[3:]).eval()
        self.network = copy.deepcopy(self.before).train()
        self.clean, self.x, self.y = example.x.clone(), example.x.clone(), example.y.clone()
        self.asked: list[tuple[Images, Labels, bool]] = []
        self.found: list[Images] = []
        self.trained_on: list[Images] = []
        self.gradients: list[Tensor | None] = []
        self.attacking = False
        self.from_attack = torch.zeros(1)
        generator = torch.Generator().manual_seed(7)
        for weights in self.network.parameters():
            weights.grad = torch.randn(weights.shape, generator=generator)
        self.left_over = _row(self.network)
        self.network.register_forward_pre_hook(self._note)
        optimiser = torch.optim.SGD(self.network.parameters(), RATE)
        optimiser.register_step_pre_hook(self._note_step)
        self.answer = ask("4.1", my_step, self.network, optimiser, self.attack, self.x, self.y)

    def attack(self, model: nn.Module, x: Images, y: Labels) -> Images:
        """FGSM as it is often written: ``backward()`` adds to the gradients of the weights, too."""
        if not torch.is_grad_enabled():
            raise Mistake("you call the attack under no_grad, but it needs gradients to climb.")
        self.asked.append((x.detach().clone(), y.clone(), model.training))
        self.attacking, before = True, _row(self.network)
        pixels = x.detach().clone().requires_grad_()
        nn.functional.cross_entropy(model(pixels), y).backward()
        self.attacking = False
        if (after := _row(self.network)) is not None:
            self.from_attack = after - (0 if before is None else before)
        assert pixels.grad is not None
        self.found.append((pixels.detach() + EPS * pixels.grad.sign()).clamp(0, 1))
        return self.found[-1].clone()

    def gradient(self, x: Images, y: Labels, training: bool = True, softmax: bool = False) -> Tensor:
        """The gradient of the mean cross-entropy at the weights before the step, all weights in one row."""
        network = copy.deepcopy(self.before).train(training)
        answer = network(x)
        nn.functional.cross_entropy(answer.softmax(1) if softmax else answer, y).backward()
        row = _row(network)
        assert row is not None
        return row

    def _note(self, network: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if network.training and not self.attacking:
            self.trained_on.append(inputs[0].detach().clone())

    def _note_step(self, *_: Any) -> None:
        self.gradients.append(_row(self.network))


def _row(network: nn.Module) -> Tensor | None:
    """The gradients of all weights in one row; None where there are none."""
    grads = [weights.grad for weights in network.parameters() if weights.grad is not None]
    return torch.cat([grad.flatten() for grad in grads]).clone() if grads else None


def _judge_attack(run: _Run) -> None:
    if not torch.equal(run.x, run.clean):
        raise Mistake("you changed x in place. Work on a copy.")
    if not run.asked:
        raise Mistake("you never call the attack. The step is about attack(model, x, y), not about x.")
    for x, y, training in run.asked:
        if training:
            raise Mistake(
                "the attack runs while the model is in training mode: each look normalises by its own batch and moves "
                "BatchNorm's running statistics. Call model.eval() before the attack and model.train() after it."
            )
        if not torch.equal(y, run.y):
            raise Mistake("you give the attack other labels than y. It has to move away from the true ones.")
        if not same(x, run.clean):
            raise Mistake("you attack other images than x.")


def _judge_gradient(run: _Run) -> None:
    """With which gradient the optimiser stepped; each typical mistake leads to one of its own."""
    if not run.gradients:
        raise Mistake("you never call optimiser.step(): the weights stay as they are.")
    if len(run.gradients) > 1:
        raise Mistake(f"you step {len(run.gradients)} times. One batch, one step.")
    step, x_adv, y = run.gradients[0], run.found[-1], run.y
    if step is None or not step.any():
        raise Mistake(
            "all gradients are zero when the optimiser steps. zero_grad() comes before backward(), step() after it."
        )
    expected, at_x = run.gradient(x_adv, y), run.gradient(run.clean, y)
    if same(step, expected):
        return
    said = _logits(run.before, run.clean).argmax(1)
    earlier = run.left_over
    assert earlier is not None
    for wrong, sentence in (
        (expected + run.from_attack, "the attack's gradients are still in the weights when you call backward(), which "
         "adds to them. Call optimiser.zero_grad() after the attack."),
        (expected + run.from_attack + earlier, "you never call optimiser.zero_grad(): the gradients of the step before "
         "and those of the attack are added to yours."),
        (run.from_attack + earlier, "you never call loss.backward(): the optimiser steps along what the attack left in "
         "the weights."),
        (run.from_attack, "you never call loss.backward(): the optimiser steps along what the attack left in the "
         "weights."),
        (at_x, "your loss is that of the clean images, so the attack was in vain. Show the model x_adv."),
        (at_x + run.from_attack, "your loss is that of the clean images, and the attack's gradients are in it too."),
        (expected + at_x, "you add the clean loss. Madry et al. train on adversarial images alone."),
        ((expected + at_x) / 2, "you average the clean and the adversarial loss. Madry et al. train on adversarial "
         "images alone."),
        (run.gradient(torch.cat([run.clean, x_adv]), torch.cat([y, y])), "clean and attacked images go through the "
         "model in one batch. Madry et al. train on adversarial images alone."),
        (run.gradient(x_adv, y, training=False), "the model is in evaluation mode in your step: BatchNorm normalises "
         "by its old statistics and learns no new ones. Call model.train() after the attack."),
        (run.gradient(x_adv, y, softmax=True), "you give cross_entropy probabilities. It takes logits, and has the "
         "softmax inside."),
        (run.gradient(x_adv, said), "you train on the model's own answers. Use the true labels, y."),
        (run.gradient(x_adv, _logits(run.before, x_adv).argmax(1)), "you train on the model's own answers to the "
         "attacked images, which are mostly wrong. Use the true labels, y."),
        (len(y) * expected, "you add up the losses of the batch. Take their mean, or the step grows with the batch."),
        (-expected, "you climb the loss. The attack maximises it, the optimiser minimises it."),
    ):  # fmt: skip
        if same(step, wrong):
            raise Mistake(sentence)
    raise Mistake("the optimiser does not step along the gradient of the mean cross-entropy of model(x_adv) and y.")


@torch.no_grad()
def _logits(network: nn.Module, x: Images) -> Logits:
    logits: Logits = network(x)
    return logits


def _judge_manners(run: _Run) -> None:
    """What a right step may still do besides."""
    if any(same(images, run.clean) for images in run.trained_on):
        raise Mistake(
            "your step is right, but the model also sees the clean images in training mode, which moves BatchNorm's "
            "statistics. Look at them in evaluation mode, or not at all."
        )
    if len(run.trained_on) > 1:
        raise Mistake(
            "your step is right, but the model sees the attacked images twice in training mode, so that BatchNorm "
            "counts them twice. Keep the logits."
        )


def _judge_loss(run: _Run) -> None:
    loss = run.answer
    if loss is None:
        raise Mistake("your step is right, but it returns nothing. Return the loss, to draw it.")
    if isinstance(loss, Tensor):
        if loss.requires_grad:
            raise Mistake("your step is right, but its loss drags the whole graph along. Return loss.item().")
        loss = loss.item() if loss.numel() == 1 else loss
    if not isinstance(loss, int | float):
        raise Mistake(f"your step is right, but it must return one number, the loss; it returns {run.answer!r}.")
    training = copy.deepcopy(run.before).train()
    expected = float(nn.functional.cross_entropy(_logits(training, run.found[-1]), run.y))
    if not math.isclose(loss, expected, rel_tol=1e-3):
        raise Mistake(f"your step is right, but you return {loss:.3f}; the loss that you step on is {expected:.3f}.")
