"""Exercise 10.1 accepts every right gradient and says what is wrong with each typical wrong one."""

import torch
import torch.nn.functional as F
from torch import nn

import seminar_lib as sl
from seminar_lib.exercises import purification

from ..conftest import praises, refuses


def slope(network, x, y, reduction="sum"):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(network(x), y, reduction=reduction), x, materialize_grads=True)[0]


def at_the_purified(purifier, model, x, y):
    return slope(model, purifier(x), y)


def straight_through(purifier, model, x, y):
    return slope(lambda z: model(z + (purifier(z) - z).detach()), x, y)


def by_backward(purifier, model, x, y):
    with torch.no_grad():
        z = purifier(x)
    z.requires_grad_()
    F.cross_entropy(model(z), y, reduction="none").sum().backward()
    return z.grad


def in_place(purifier, model, x, y):
    return slope(model, x.copy_(purifier(x)), y)


test_every_right_gradient_is_praised = praises(
    purification.check_around,
    at_the_purified,
    straight_through,
    by_backward,
    lambda purifier, model, x, y: slope(nn.Sequential(sl.BPDA(purifier), model), x, y),
)

test_a_wrong_gradient_gets_its_sentence = refuses(
    purification.check_around,
    (lambda purifier, model, x, y: None, "returns nothing"),
    (lambda purifier, model, x, y: slope(model, purifier(x), y).sum(), "has shape"),
    (in_place, "in place"),
    (lambda purifier, model, x, y: slope(nn.Sequential(purifier, model), x, y), "Quantise, which has no slope"),
    (lambda purifier, model, x, y: slope(model, x, y), "the blind adversary"),
    (lambda purifier, model, x, y: slope(model, purifier(purifier(x)), y), "you purify twice"),
    (lambda purifier, model, x, y: slope(model, purifier(x), y, "mean"), "the number of images"),
    (lambda purifier, model, x, y: -at_the_purified(purifier, model, x, y), "your sign is turned"),
    (lambda purifier, model, x, y: at_the_purified(purifier, model, x, y).sign(), "you return its sign"),
    (lambda purifier, model, x, y: slope(model, purifier(x), model(purifier(x)).argmax(1)), "own answers"),
    (lambda purifier, model, x, y: purifier(x), "the purified images"),
)


def own_derivative_where_there_is_one(purifier, model, x, y):
    if "Quantise" in repr(purifier):
        return at_the_purified(purifier, model, x, y)
    return slope(nn.Sequential(purifier, model), x, y)


test_the_second_purifier_has_a_slope_that_is_not_taken = refuses(
    purification.check_around, (own_derivative_where_there_is_one, "by its own derivative")
)
