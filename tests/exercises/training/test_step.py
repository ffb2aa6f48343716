"""Exercise 4.1 accepts every right step of adversarial training and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F

from seminar_lib.exercises import training

from ..conftest import praises, refuses


def step(
    attacking="eval",
    stepping="train",
    zero="after the attack",
    target=lambda model, x, x_adv, y: y,
    asked=lambda model, x, y: (x, y),
    loss=lambda model, x, x_adv, y: F.cross_entropy(model(x_adv), y),
    backward=True,
    steps=1,
    shown=lambda loss, model, x_adv: loss.item(),
):
    """A step of adversarial training with one thing exchanged at a time."""

    def my_step(model, optimiser, attack, x, y):
        if zero == "before the attack":
            optimiser.zero_grad()
        model.train(attacking == "train")
        x_adv = attack(model, *asked(model, x, y))
        model.train(stepping == "train")
        value = loss(model, x, x_adv, target(model, x, x_adv, y))
        if zero == "after the attack":
            optimiser.zero_grad()
        if backward:
            value.backward()
        if zero == "after backward":
            optimiser.zero_grad()
        for _ in range(steps):
            optimiser.step()
        return shown(value, model, x_adv)

    return my_step


def by_autograd(model, optimiser, attack, x, y):
    """Weights frozen during the attack, gradients set by hand, the loss as a tensor without history."""
    model.eval().requires_grad_(False)
    x_adv = attack(model, x, y)
    model.requires_grad_(True).train()
    loss = -model(x_adv).log_softmax(1)[torch.arange(len(y)), y].mean()
    weights = list(model.parameters())
    for parameter, grad in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        parameter.grad = grad
    optimiser.step()
    return loss.detach()


def with_a_look_at_the_clean_images(model, optimiser, attack, x, y):
    """What it does besides leaves no trace: the accuracy in evaluation mode, then a right step."""
    model.eval()
    with torch.no_grad():
        model(x).argmax(1).eq(y).float().mean()
    return step()(model, optimiser, attack, x, y)


def under_no_grad(model, optimiser, attack, x, y):
    model.eval()
    with torch.no_grad():
        x_adv = attack(model, x, y)
    return step()(model, optimiser, lambda *_: x_adv, x, y)


def in_place(model, optimiser, attack, x, y):
    model.eval()
    x.copy_(attack(model, x, y))
    return step()(model, optimiser, attack, x, y)


def clean_only(model, optimiser, attack, x, y):
    return step()(model, optimiser, lambda model, x, y: x, x, y)


def own_answers(model, x):
    mode = model.training
    with torch.no_grad():
        said = model.eval()(x).argmax(1)
    model.train(mode)
    return said


def clean_loss(model, x, x_adv, y):
    return F.cross_entropy(model(x), y)


def mixed(share):
    def loss(model, x, x_adv, y):
        return share * (F.cross_entropy(model(x_adv), y) + F.cross_entropy(model(x), y))

    return loss


def in_one_batch(model, x, x_adv, y):
    return F.cross_entropy(model(torch.cat([x, x_adv])), torch.cat([y, y]))


def with_a_clean_look(model, x, x_adv, y):
    model(x)
    return F.cross_entropy(model(x_adv), y)


def without_step(model, optimiser, attack, x, y):
    return step(steps=0)(model, optimiser, attack, x, y)


test_every_right_step_is_praised = praises(
    training.check_step,
    step(),
    by_autograd,
    with_a_look_at_the_clean_images,
    step(shown=lambda loss, *_: loss.detach()),
)

test_a_wrong_step_gets_its_sentence = refuses(
    training.check_step,
    (clean_only, "never call the attack"),
    (under_no_grad, "under no_grad"),
    (step(attacking="train"), "moves BatchNorm's running statistics"),
    (step(asked=lambda model, x, y: (x, own_answers(model, x))), "other labels than y"),
    (step(asked=lambda model, x, y: (x.flip(3), y)), "other images than x"),
    (in_place, "in place"),
    (without_step, "never call optimiser.step()"),
    (step(steps=2), "you step 2 times"),
    (step(zero="after backward"), "zero_grad() comes before backward()"),
    (step(zero="after the attack", backward=False), "zero_grad() comes before backward()"),
    (step(zero="before the attack"), "Call optimiser.zero_grad() after the attack"),
    (step(zero="never"), "never call optimiser.zero_grad()"),
    (step(zero="never", backward=False), "never call loss.backward()"),
    (step(zero="before the attack", backward=False), "never call loss.backward()"),
    (step(loss=clean_loss), "the attack was in vain"),
    (step(loss=clean_loss, zero="before the attack"), "the attack's gradients are in it too"),
    (step(loss=mixed(1)), "you add the clean loss"),
    (step(loss=mixed(0.5)), "you average the clean"),
    (step(loss=in_one_batch), "in one batch"),
    (step(stepping="eval"), "evaluation mode in your step"),
    (step(loss=lambda model, x, x_adv, y: F.cross_entropy(model(x_adv).softmax(1), y)), "has the softmax inside"),
    (step(target=lambda model, x, x_adv, y: own_answers(model, x)), "the model's own answers."),
    (step(target=lambda model, x, x_adv, y: own_answers(model, x_adv)), "to the attacked images"),
    (step(loss=lambda model, x, x_adv, y: F.cross_entropy(model(x_adv), y, reduction="sum")), "add up the losses"),
    (step(loss=lambda model, x, x_adv, y: -F.cross_entropy(model(x_adv), y)), "you climb the loss"),
    (step(loss=lambda model, x, x_adv, y: model(x_adv).square().mean()), "does not step along the gradient"),
    (step(loss=with_a_clean_look), "also sees the clean images in training mode"),
    (step(shown=lambda loss, model, x_adv: [loss.item(), model(x_adv)][0]), "twice in training mode"),
    (step(shown=lambda *_: None), "it returns nothing"),
    (step(shown=lambda loss, *_: loss), "drags the whole graph along"),
    (step(shown=lambda *_: "0.5"), "must return one number"),
    (step(shown=lambda loss, *_: 2 * loss.item()), "the loss that you step on is"),
)
