"""LISArD, the same without its correlations (plain training on noise), and adversarial training that starts from it.

``cifar10_lisard`` has the settings of the released code but for four: one learning rate for all parameters, where the
code has a smaller one for biases and BatchNorm; images in random order, and shifted ones with a mirrored border, where
the code's is black; and the best epoch chosen on validation images, where the code looks at the test images. Its
adversarial stage lowers the rate whenever the accuracy of PGD on *test* images stops rising; ours does at one half and
three quarters of the training.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.objectives import LISArD
from seminar_lib.recipes import baselines
from seminar_lib.schedules import Cosine, Drops
from seminar_lib.train import Recipe

NOISE = LISArD(weight=0.0)


def signs_lisard() -> Recipe:
    """LISArD on signs, as many epochs as ``signs_pgd_at``."""
    return replace(baselines.signs_pgd_at(), objective=LISArD(), validation=None)


def signs_noise() -> Recipe:
    """As ``signs_lisard`` without the correlations."""
    return replace(signs_lisard(), objective=NOISE)


def signs_lisard_at() -> Recipe:
    """As ``signs_pgd_at``, from where ``signs_lisard`` ends."""
    return replace(baselines.signs_pgd_at(), start=signs_lisard())


def cifar10_lisard() -> Recipe:
    """LISArD on CIFAR-10 for the papers' ResNet-18."""
    return replace(
        baselines.cifar10_resnet18_standard(),
        objective=LISArD(),
        epochs=200,
        batch_size=256,
        rate=0.02,
        schedule=Cosine(warmup=0.05, floor=0.001),
    )


def cifar10_noise() -> Recipe:
    """As ``cifar10_lisard`` without the correlations."""
    return replace(cifar10_lisard(), objective=NOISE)


def cifar10_lisard_at() -> Recipe:
    """Adversarial training with PGD-10, from where ``cifar10_lisard`` ends."""
    tenths = Drops(at=(0.5, 0.75))
    return replace(baselines.cifar10_resnet18_pgd_at(), start=cifar10_lisard(), epochs=200, schedule=tenths)


def cifar10_narrow_lisard() -> Recipe:
    """LISArD for two CPU cores; without an attack, time is left for more epochs than ``cifar10_narrow_pgd_at`` has."""
    return replace(baselines.cifar10_narrow_standard(), objective=LISArD(), epochs=20)


def cifar10_narrow_noise() -> Recipe:
    """As ``cifar10_narrow_lisard`` without the correlations."""
    return replace(cifar10_narrow_lisard(), objective=NOISE)


def cifar10_narrow_lisard_at() -> Recipe:
    """As ``cifar10_narrow_pgd_at``, from where ``cifar10_narrow_lisard`` ends."""
    return replace(baselines.cifar10_narrow_pgd_at(), start=cifar10_narrow_lisard())
