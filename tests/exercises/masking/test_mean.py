"""Exercise 12.2 accepts every right mean and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import masking

from ..conftest import praises, refuses


def look(score, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(score(x).sum(), x)[0]


def gradients(score, x, looks):
    return torch.stack([look(score, x) for _ in range(looks)])


def at_once(score, x, looks):
    x = x.clone().requires_grad_()
    loss = torch.stack([score(x) for _ in range(looks)]).mean(0)
    return torch.autograd.grad(loss.sum(), x)[0]


def over_the_batch(score, x, looks):
    x = x.clone().requires_grad_()
    loss = torch.stack([score(x) for _ in range(looks)]).mean()
    return torch.autograd.grad(loss, x)[0]


def walking(score, x, looks):
    total = 0
    for _ in range(looks):
        grad = look(score, x)
        total, x = total + grad, x + 0.1 * grad.sign()
    return total / looks


def into_x(score, x, looks):
    return x.copy_(at_once(score, x, looks))


def in_a_tuple(score, x, looks):
    return (at_once(score, x, looks),)


test_every_right_mean_is_praised = praises(
    masking.check_mean_gradient, at_once, lambda score, x, looks: gradients(score, x, looks).mean(0)
)

test_a_wrong_mean_gets_its_sentence = refuses(
    masking.check_mean_gradient,
    (lambda score, x, looks: None, "returns nothing"),
    (lambda score, x, looks: score(x).detach(), "has shape"),
    (in_a_tuple, "a tuple of one"),
    (lambda score, x, looks: x.clone(), "never call score"),
    (lambda score, x, looks: look(score, x), "you look once"),
    (lambda score, x, looks: gradients(score, x, looks + 1).mean(0), "times; looks ="),
    (lambda score, x, looks: gradients(score, x, looks)[0], "the first look"),
    (lambda score, x, looks: gradients(score, x, looks)[-1], "the last look"),
    (lambda score, x, looks: gradients(score, x, looks).sum(0), "you return the sum"),
    (over_the_batch, "the number of images"),
    (lambda score, x, looks: -at_once(score, x, looks), "your sign is turned"),
    (lambda score, x, looks: gradients(score, x, looks).sign().mean(0), "average the signs"),
    (lambda score, x, looks: at_once(score, x, looks).sign(), "the sign of the mean"),
    (lambda score, x, looks: gradients(score, x, looks).median(0).values, "not the mean"),
    (walking, "different images"),
    (into_x, "in place"),
)
