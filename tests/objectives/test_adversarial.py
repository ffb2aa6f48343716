"""Adversarial training: against standard training, the images of its attack, and the loop of its fast version."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib import recipes
from seminar_lib.attacks import PGD
from seminar_lib.goals import Misclassify
from seminar_lib.objectives import AdversarialTraining, Batch, CrossEntropy
from seminar_lib.recipes import FAST
from seminar_lib.threat import Linf


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_adversarial_training_is_the_loss_on_the_images_that_its_attack_finds(smoothing, tiny, x, y):
    attack = PGD(Linf(4 / 255), steps=3, random_start=False, stop_when_fooled=False)
    x_adv = attack.search(Misclassify(tiny, y), x)  # in evaluation mode, as the fixture comes, and without smoothing
    tiny.train()
    loss = AdversarialTraining(attack, smoothing=smoothing)(tiny, Batch(x, y))["adversarial"]
    torch.testing.assert_close(loss, F.cross_entropy(tiny(x_adv), y, label_smoothing=smoothing))
    assert loss > 1.2 * CrossEntropy(smoothing)(tiny, Batch(x, y))["clean"]


def test_adversarial_training_in_a_tiny_ball_is_standard_training(tiny, x, y):
    tiny.train()
    attack = PGD(Linf(1e-7), stop_when_fooled=False)
    adversarial = AdversarialTraining(attack)(tiny, Batch(x, y))["adversarial"]
    torch.testing.assert_close(adversarial, CrossEntropy()(tiny, Batch(x, y))["clean"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bf16", [False, True])
def test_the_attack_searches_in_the_precision_that_it_was_made_with(bf16, in_bf16, tiny, x, y):
    looks = []
    tiny.register_forward_hook(lambda *_: looks.append(torch.is_autocast_enabled("cpu")))
    attack = PGD(Linf(4 / 255), steps=3, stop_when_fooled=False, bf16=bf16)
    AdversarialTraining(attack).prepare(tiny, Batch(x, y))
    assert looks == [bf16] * len(looks)
    assert len(looks) >= 3


def test_fast_adversarial_training_is_the_loop_of_its_paper(tiny, x, y):
    """Wong et al., algorithm 3, for the images where its step helps the adversary; for the others, its random start."""
    eps, alpha = 8 / 255, 1.25 * 8 / 255
    start = (x + torch.empty_like(x).uniform_(-eps, eps, generator=seeded())).clamp(0, 1)
    moved = start.clone().requires_grad_()
    F.cross_entropy(tiny(moved), y, reduction="sum").backward()
    delta = (start - x + alpha * moved.grad.sign()).clamp(-eps, eps)
    step = (x + delta).clamp(0, 1)
    x_adv = AdversarialTraining(FAST).prepare(tiny, Batch(x, y, generator=seeded())).x_adv
    goal = Misclassify(tiny, y)
    helped = goal(step).loss > goal(start).loss
    assert helped.any()
    torch.testing.assert_close(x_adv[helped], step[helped])
    assert torch.equal(x_adv[~helped], start[~helped])


@pytest.mark.parametrize("name", ["signs", "cifar10"])
def test_the_fast_recipes_differ_from_the_others_in_their_attack_alone(name):
    fast, slow = (getattr(recipes, f"{name}_{kind}_at")() for kind in ("fast", "pgd"))
    assert fast == replace(slow, objective=replace(slow.objective, attack=FAST))
    assert fast != slow
