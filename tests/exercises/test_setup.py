"""The check of lesson 00."""

from seminar_lib.exercises import setup

from .conftest import praises, refuses

test_every_right_distance_is_praised = praises(
    setup.check,
    lambda x, x_adv: (x_adv - x).abs().amax((1, 2, 3)),
    lambda x, x_adv: (x - x_adv).flatten(1).norm(float("inf"), dim=1),
)

test_a_wrong_distance_gets_its_sentence = refuses(
    setup.check,
    (lambda x, x_adv: 255 * (x_adv - x).abs().amax((1, 2, 3)), "grey levels"),
    (lambda x, x_adv: (x_adv - x).amax((1, 2, 3)), "one direction"),
    (lambda x, x_adv: (x - x_adv).amax((1, 2, 3)), "one direction"),
    (lambda x, x_adv: (x_adv - x).abs().mean((1, 2, 3)), "mean change"),
    (lambda x, x_adv: (x_adv - x).flatten(1).norm(dim=1), "Euclidean"),
    (lambda x, x_adv: (x_adv - x).abs().max().expand(len(x)), "whole batch"),
    (lambda x, x_adv: (x_adv - x).abs().max(), "has shape"),
    (lambda x, x_adv: (x_adv - x).abs().flatten(1).median(1).values, "you return"),
)
