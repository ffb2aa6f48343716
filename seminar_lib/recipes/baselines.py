"""Standard and adversarial training: what the shipped weights were trained by, and what the papers compare with.

Three sizes: the small network on signs, the small network on CIFAR-10, and ResNet-18 on CIFAR-10, in the papers' width
with the papers' number of epochs, or ``narrow`` and short enough for two CPU cores.
"""

from __future__ import annotations

import dataclasses

from seminar_lib.attacks import PGD
from seminar_lib.data.augment import Augment
from seminar_lib.models import ResNet18
from seminar_lib.objectives import AdversarialTraining, CrossEntropy
from seminar_lib.schedules import Drops
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe

SIGNS = Augment(crop=2, jitter=0.1)  # no flip: an arrow to the left is another class
CIFAR10 = Augment(crop=4, flip=True)
VALIDATION = PGD(Linf(8 / 255), steps=10, step_size=2 / 255, bf16=True)
# One step of 1.25 eps from a random start: "fast" adversarial training (Wong et al., ICLR 2020, algorithm 3). Where the
# step does not help the adversary, ours stays at the random start; theirs takes the step all the same.
FAST = PGD(Linf(8 / 255), steps=1, step_size=10 / 255, stop_when_fooled=False)


def signs_standard() -> Recipe:
    """Plain cross-entropy on signs: accurate, and helpless against PGD."""
    return Recipe("signs", CrossEntropy(), epochs=12, augment=SIGNS, ema=0.99)


def signs_pgd_at() -> Recipe:
    """Adversarial training on signs with PGD-5 (Madry et al., ICLR 2018)."""
    objective = AdversarialTraining(PGD(Linf(8 / 255), steps=5, stop_when_fooled=False), warmup=0.4)
    return Recipe("signs", objective, epochs=20, augment=SIGNS, ema=0.995, validation=VALIDATION)


def signs_fast_at() -> Recipe:
    """As ``signs_pgd_at`` with one step in place of five.

    Watch its history for catastrophic overfitting, which Wong et al. describe: the ``"adversarial"`` loss, on images of
    one step, goes on falling while the ``"robust accuracy"`` against PGD drops to nothing within an epoch.
    """
    return dataclasses.replace(signs_pgd_at(), objective=AdversarialTraining(FAST, warmup=0.4))


def signs_resnet18_standard() -> Recipe:
    """As ``signs_standard``, for a narrow ResNet-18: a second network to attack."""
    return dataclasses.replace(signs_standard(), model=ResNet18(16))


def signs_resnet18_pgd_at() -> Recipe:
    """Adversarial training on signs with PGD-2, short, for a narrow ResNet-18."""
    objective = AdversarialTraining(PGD(Linf(8 / 255), steps=2, stop_when_fooled=False), warmup=0.4)
    return Recipe("signs", objective, ResNet18(16), epochs=8, augment=SIGNS, ema=0.99, validation=VALIDATION)


def cifar10_standard() -> Recipe:
    """Plain cross-entropy on CIFAR-10, short: what a laptop does while a class has coffee."""
    return Recipe("cifar10", CrossEntropy(), epochs=8, augment=CIFAR10, ema=0.995)


def cifar10_pgd_at() -> Recipe:
    """Adversarial training on CIFAR-10 with PGD-5, short, for the small network."""
    objective = AdversarialTraining(PGD(Linf(8 / 255), steps=5, stop_when_fooled=False), warmup=0.3)
    return Recipe("cifar10", objective, epochs=8, augment=CIFAR10, ema=0.995, validation=VALIDATION)


def cifar10_fast_at() -> Recipe:
    """As ``cifar10_pgd_at`` with one step in place of five; see ``signs_fast_at`` for what to watch."""
    return dataclasses.replace(cifar10_pgd_at(), objective=AdversarialTraining(FAST, warmup=0.3))


def cifar10_resnet18_standard() -> Recipe:
    """Plain cross-entropy for the papers' network, as long as its adversarial training."""
    return dataclasses.replace(cifar10_resnet18_pgd_at(), objective=CrossEntropy(), validation=None)


def cifar10_resnet18_pgd_at() -> Recipe:
    """Adversarial training with PGD-10 as Pang et al., "Bag of Tricks for Adversarial Training", ICLR 2021, do it."""
    objective = AdversarialTraining(PGD(Linf(8 / 255), steps=10, step_size=2 / 255, stop_when_fooled=False, bf16=True))
    drops = Drops(at=(100 / 110, 105 / 110))
    return Recipe("cifar10", objective, ResNet18(), epochs=110, schedule=drops, augment=CIFAR10, validation=VALIDATION)


def cifar10_narrow_standard() -> Recipe:
    """As ``cifar10_standard``, for ResNet-18 at a quarter of the papers' width."""
    return dataclasses.replace(cifar10_standard(), model=ResNet18(16))


def cifar10_narrow_pgd_at() -> Recipe:
    """As ``cifar10_pgd_at``, for ResNet-18 at a quarter of the papers' width."""
    return dataclasses.replace(cifar10_pgd_at(), model=ResNet18(16))
