"""The capstone accepts every attack that breaks its defence and every honest repair, and says what fails in others."""

import pytest
import torch
from torch import nn

import seminar_lib as sl
from seminar_lib.exercises import masking
from seminar_lib.exercises.masking.capstone import BALL, N
from seminar_lib.masking import Noise
from seminar_lib.purification import Quantise

from ..conftest import praises, refuses

# 12.4: the attack


def attack(opened=True, loss=sl.margin, looks=4, stop=False, steps=10, threat=BALL, start=True):
    """An adaptive attack with one part exchanged at a time."""

    def my_attack(defended, x, y):
        network = sl.replace_layers(defended, Quantise, sl.BPDA) if opened else defended
        goal = sl.Expectation(sl.Misclassify(network, y, loss), looks)
        return sl.PGD(threat, steps=steps, stop_when_fooled=stop, random_start=start).run(goal, x)

    return my_attack


def by_hand(defended, x, y):
    """Without the library: signs of the mean gradient of four looks, through the identity."""
    _, noise, network, _ = defended
    x_adv = x.clone()
    for _ in range(10):
        pixels = x_adv.clone().requires_grad_()
        seen = pixels + (defended[0](pixels) - pixels).detach()
        loss = sum(sl.margin(network(noise(seen)), y).sum() for _ in range(4))
        step = torch.autograd.grad(loss, pixels)[0].sign() * 2 / 255
        x_adv = (x + (x_adv + step - x).clamp(-8 / 255, 8 / 255)).clamp(0, 1)
    return x_adv


def in_place(defended, x, y):
    return x.copy_(attack()(defended, x, y))


test_every_attack_that_breaks_it_is_praised = pytest.mark.slow(praises(masking.check_break, attack(), by_hand))

test_an_attack_that_fails_gets_its_sentence = pytest.mark.slow(
    refuses(
        masking.check_break,
        (lambda defended, x, y: None, "returns nothing"),
        (lambda defended, x, y: x[0], "has shape"),
        (in_place, "in place"),
        (lambda defended, x, y: x + 1, "Images lie in [0, 1]"),
        (attack(threat=sl.Linf(16 / 255), steps=1), "16.0/255; the ball allows 8/255"),
        (lambda defended, x, y: x.clone(), "return the clean images"),
        (attack(opened=False, loss=sl.cross_entropy, looks=1), "went nowhere in particular"),
        (attack(opened=False), "Either alone is not enough"),
        (attack(loss=sl.cross_entropy), "Climb a loss of the logits"),
        (attack(looks=1, stop=True, steps=5), "a lucky draw"),
        (attack(threat=sl.Linf(1 / 255)), "not far enough"),
    )
)


# 12.5: the repair


def measured(network, test, **attacks):
    return sl.evaluate(network, test, attacks, progress=False)["worst case"]


def honest(standard, robust, test):
    return robust, measured(robust, test, apgd=sl.APGD(BALL, steps=10), margin=sl.PGD(BALL, loss=sl.margin))


def honest_in_noise(standard, robust, test):
    """A little noise does no harm where the claim is that of an adaptive attack."""
    return nn.Sequential(Noise(0.01), robust), honest(standard, robust, test)[1]


def behind(layer, claim):
    def repair(standard, robust, test):
        network = nn.Sequential(layer, {"robust": robust, "standard": standard}[claim])
        return network, measured(network, test, pgd=sl.PGD(BALL))

    return repair


def claimed(accuracy):
    return lambda standard, robust, test: (robust, accuracy)


class Cut(nn.Module):
    """A mask that the check does not know."""

    def forward(self, x):
        return torch.from_numpy((x.detach().numpy() * 15).round() / 15)


ALL = torch.ones(N, dtype=torch.bool)

test_every_repair_with_an_honest_claim_is_praised = pytest.mark.slow(
    praises(masking.check_repair, honest, honest_in_noise)
)

test_a_repair_that_is_none_gets_its_sentence = pytest.mark.slow(
    refuses(
        masking.check_repair,
        (lambda standard, robust, test: robust, "return two things"),
        (lambda standard, robust, test: (robust.forward, sl.Accuracy.of(ALL)), "an nn.Module"),
        (claimed(0.5), "an accuracy with its interval"),
        (claimed(sl.Accuracy.of(ALL[:10])), "Measure all of them"),
        (
            lambda standard, robust, test: (nn.Sequential(Noise(2.0), robust), sl.Accuracy.of(ALL)),
            "may fall behind it by 10 points",
        ),
        (lambda standard, robust, test: (standard, sl.Accuracy.of(~ALL)), "does not make it so"),
        (behind(Quantise(), "standard"), "does not make it so"),
        (lambda standard, robust, test: (nn.Sequential(Cut(), standard), sl.Accuracy.of(ALL)), "does not make it so"),
        (lambda standard, robust, test: (masking.fortress(standard), sl.Accuracy.of(ALL)), "does not make it so"),
        (behind(Quantise(), "robust"), "your claim does not"),
        (claimed(sl.Accuracy.of(ALL)), "your claim does not"),
    )
)
