"""The checks of lesson 12 accept every right answer and say what is wrong with each typical wrong one."""

import pytest
import torch
from torch import nn

import seminar_lib as sl
from seminar_lib.exercises import masking
from seminar_lib.masking import DEFENCES, Noise, Quantise

from .conftest import praises, refuses

BALL = sl.Linf(8 / 255)

# 12.1: the stand-in


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


# 12.2: the mean of several looks


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


# 12.3: the diagnoses

TRUE = {"A": "saturated softmax", "B": "random answers", "C": "shattered gradient"}


def test_the_right_tricks_are_praised_with_their_remedies(capsys):
    masking.check_tricks(lambda: dict(TRUE))
    said = capsys.readouterr().out
    assert all(DEFENCES[name].trick.remedy in said for name in masking.HIDDEN.values())


test_a_wrong_trick_gets_its_sentence = refuses(
    masking.check_tricks,
    (lambda: None, "return a dictionary"),
    (lambda: {"A": "saturated softmax"}, "with the keys A, B, C"),
    (lambda: TRUE | {"B": "chance"}, "B: 'chance' is not on the list"),
    (lambda: TRUE | {"A": "nothing hidden"}, "A is no case of 'nothing hidden'"),
    (lambda: TRUE | {"A": "step without slope"}, "`slope` would find"),
    (lambda: TRUE | {"B": "saturated softmax"}, "`saturation` would raise"),
    (lambda: TRUE | {"C": "random answers"}, "they agree"),
    (lambda: TRUE | {"A": "shattered gradient"}, "`kept promise` would raise"),
)


@pytest.mark.slow
def test_the_diagnoses_show_what_the_sentences_say():
    """What is said against each wrong trick holds of every defence to which it is said."""
    data = sl.load_data("signs").test.sample(32)
    for letter, defence in masking.unlabelled(sl.load("signs/standard")[0]).items():
        found = sl.diagnose(defence, data.x, data.y, steps=20, queries=50)
        assert found.tricks[0].name == TRUE[letter]
        alarms = {
            "step without slope": found["slope"],
            "saturated softmax": found["saturation"],
            "random answers": found["randomness"],
            "shattered gradient": found["kept promise"],
        }
        for trick, check in alarms.items():
            assert (check.verdict == "alarm") == (trick == TRUE[letter])


def test_an_unlabelled_defence_does_not_tell_its_name(tiny, x):
    for letter, defence in masking.unlabelled(tiny).items():
        assert repr(defence) == f"Defence {letter}"
        assert defence(x).shape == tiny(x).shape


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


ALL = torch.ones(masking.N, dtype=torch.bool)

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
        (lambda standard, robust, test: (nn.Sequential(Noise(2.0), robust), sl.Accuracy.of(ALL)), "must keep at least"),
        (lambda standard, robust, test: (standard, sl.Accuracy.of(~ALL)), "does not make it so"),
        (behind(Quantise(), "standard"), "does not make it so"),
        (lambda standard, robust, test: (nn.Sequential(Cut(), standard), sl.Accuracy.of(ALL)), "does not make it so"),
        (lambda standard, robust, test: (masking.fortress(standard), sl.Accuracy.of(ALL)), "does not make it so"),
        (behind(Quantise(), "robust"), "your claim does not"),
        (claimed(sl.Accuracy.of(ALL)), "your claim does not"),
    )
)
