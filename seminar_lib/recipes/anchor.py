"""ANCHOR: the encoder with its classifier, then the classifier alone, on adversarial or on clean images.

The first stage is adversarial training with another objective: same attack, same epochs. The second comes on top. The
paper's settings are not known; those of ``cifar10_anchor`` are of "Bag of Tricks" and ours.

The ablations change one field of the objective. They have names on signs, where there is time for all of them; without
the contrastive term ANCHOR is ``signs_pgd_at``.
"""

from __future__ import annotations

from seminar_lib.attacks import PGD
from seminar_lib.objectives import ANCHOR, AdversarialTraining, CrossEntropy
from seminar_lib.recipes import baselines
from seminar_lib.recipes.variants import then_head, with_its_attack
from seminar_lib.threat import Linf
from seminar_lib.train import Recipe

SHORT = AdversarialTraining(PGD(Linf(8 / 255), steps=5, stop_when_fooled=False))  # from the first step at full radius
LONG = AdversarialTraining(PGD(Linf(8 / 255), steps=10, step_size=2 / 255, stop_when_fooled=False, bf16=True))


def signs_anchor() -> Recipe:
    """ANCHOR's first stage on signs, otherwise as ``signs_pgd_at``."""
    return with_its_attack(baselines.signs_pgd_at(), ANCHOR)


def signs_anchor_beta0() -> Recipe:
    """All positives alike: SupCon with adversarial training."""
    return with_its_attack(baselines.signs_pgd_at(), ANCHOR, beta=0.0)


def signs_anchor_beta2() -> Recipe:
    """Hard positives count more than in ``signs_anchor``."""
    return with_its_attack(baselines.signs_pgd_at(), ANCHOR, beta=2.0)


def signs_anchor_beta5() -> Recipe:
    """Hard positives count nearly alone."""
    return with_its_attack(baselines.signs_pgd_at(), ANCHOR, beta=5.0)


def signs_anchor_augmented() -> Recipe:
    """Two augmented views in the contrastive term, and no adversarial one."""
    return with_its_attack(baselines.signs_pgd_at(), ANCHOR, augment=baselines.SIGNS)


def signs_anchor_head() -> Recipe:
    """ANCHOR's second stage on adversarial images."""
    return then_head(signs_anchor(), SHORT, epochs=5)


def signs_anchor_clean_head() -> Recipe:
    """ANCHOR's second stage on clean images."""
    return then_head(signs_anchor(), CrossEntropy(), epochs=5)


def cifar10_anchor() -> Recipe:
    """ANCHOR's first stage on CIFAR-10, otherwise as ``cifar10_resnet18_pgd_at``."""
    return with_its_attack(baselines.cifar10_resnet18_pgd_at(), ANCHOR)


def cifar10_anchor_head() -> Recipe:
    """ANCHOR's second stage on adversarial images."""
    return then_head(cifar10_anchor(), LONG, epochs=25)


def cifar10_anchor_clean_head() -> Recipe:
    """ANCHOR's second stage on clean images."""
    return then_head(cifar10_anchor(), CrossEntropy(), epochs=25)


def cifar10_narrow_anchor() -> Recipe:
    """ANCHOR's first stage for two CPU cores, otherwise as ``cifar10_narrow_pgd_at``."""
    return with_its_attack(baselines.cifar10_narrow_pgd_at(), ANCHOR)


def cifar10_narrow_anchor_head() -> Recipe:
    """ANCHOR's second stage on adversarial images."""
    return then_head(cifar10_narrow_anchor(), SHORT, epochs=2)


def cifar10_narrow_anchor_clean_head() -> Recipe:
    """ANCHOR's second stage on clean images."""
    return then_head(cifar10_narrow_anchor(), CrossEntropy(), epochs=2)
