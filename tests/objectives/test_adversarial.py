"""Adversarial training: against standard training and the images of its attack."""

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.goals import Misclassify
from seminar_lib.objectives import AdversarialTraining, Batch, CrossEntropy
from seminar_lib.threat import Linf


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
