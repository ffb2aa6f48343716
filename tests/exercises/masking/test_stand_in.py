"""Exercise 12.1 accepts every right stand-in and says what is wrong with each typical wrong one."""

import torch

import seminar_lib as sl
from seminar_lib.exercises import masking

from ..conftest import praises, refuses


def straight_through(layer, x):
    return x + (layer(x) - x).detach()


def without_grad(layer, x):
    with torch.no_grad():
        difference = layer(x) - x
    return x + difference


test_every_right_stand_in_is_praised = praises(
    masking.check_straight_through, straight_through, without_grad, lambda layer, x: sl.BPDA(layer)(x)
)

test_a_wrong_stand_in_gets_its_sentence = refuses(
    masking.check_straight_through,
    (lambda layer, x: None, "returns nothing"),
    (lambda layer, x: layer(x).sum(), "has shape"),
    (lambda layer, x: x, "your answer is x itself"),
    (lambda layer, x: x + layer(x).detach(), "x + layer(x)"),
    (lambda layer, x: x - (layer(x) - x).detach(), "your sign is turned"),
    (lambda layer, x: (layer(x) - x).detach(), "the difference"),
    (lambda layer, x: 0.5 * layer(x), "is not layer(x)"),
    (lambda layer, x: layer(x).detach(), "no gradient with respect to x"),
    (lambda layer, x: straight_through(layer, x.detach().requires_grad_()), "no gradient with respect to x"),
    (lambda layer, x: layer(x), "the layer's own derivative"),
    (lambda layer, x: x + layer(x) - x.detach(), "*plus* the identity"),
    (lambda layer, x: (layer(x) + x).detach() - x, "your sign is turned"),
    (lambda layer, x: layer(x).detach() + x - x, "cancel to zero"),
    (lambda layer, x: layer(x).detach() + 2 * (x - x.detach()), "must pass unchanged"),
    (lambda layer, x: x.mul_(2), "raised RuntimeError"),
)
