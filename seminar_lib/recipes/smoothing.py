"""Networks to be smoothed: training on noise of three sizes, and at the middle one by SmoothAdv and with consistency.

Each name ends with the noise's deviation in hundredths. All have the epochs and the small network of the adversarial
training on the same images, ``signs_pgd_at`` or ``cifar10_pgd_at``; only ``cifar10_narrow_noise_025``, to be read
beside the papers' tables, has more of both.
They are judged by ``certify_set``: no accuracy of the network itself says how well it smooths. The radii are the
largest that 100,000 samples can certify. The epoch is picked by an L2 attack, as noise has no place in a recipe's
validation: a stand-in.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.attacks import PGD
from seminar_lib.models import ResNet18
from seminar_lib.objectives import Consistency, NoiseTraining, Objective, SmoothAdv
from seminar_lib.recipes import baselines
from seminar_lib.threat import L2
from seminar_lib.train import Recipe

# Clean images are read rightly long before noisy ones are, and would pick too early an epoch.
VALIDATION = PGD(L2(0.25), steps=10, bf16=True)


def signs_noise_012() -> Recipe:
    """Training on noise of deviation 0.12, for radii up to 0.46."""
    return _on_signs(NoiseTraining(0.12))


def signs_noise_025() -> Recipe:
    """Training on noise of deviation 0.25, for radii up to 0.95."""
    return _on_signs(NoiseTraining(0.25))


def signs_noise_050() -> Recipe:
    """Training on noise of deviation 0.5, for radii up to 1.9."""
    return _on_signs(NoiseTraining(0.5))


def signs_smoothadv_025() -> Recipe:
    """SmoothAdv: as ``signs_noise_025``, on images that fool the smoothed network. A step costs ten of that one's."""
    return _on_signs(SmoothAdv(sigma=0.25, warmup=0.4))


def signs_consistency_025() -> Recipe:
    """Consistency: as ``signs_noise_025``, with one answer to two noisy copies. A step costs two of that one's."""
    return _on_signs(Consistency(0.25))


def cifar10_noise_012() -> Recipe:
    """As ``signs_noise_012``, on CIFAR-10."""
    return _on_cifar10(NoiseTraining(0.12))


def cifar10_noise_025() -> Recipe:
    """As ``signs_noise_025``, on CIFAR-10."""
    return _on_cifar10(NoiseTraining(0.25))


def cifar10_noise_050() -> Recipe:
    """As ``signs_noise_050``, on CIFAR-10."""
    return _on_cifar10(NoiseTraining(0.5))


def cifar10_narrow_noise_025() -> Recipe:
    """As ``cifar10_noise_025``, for ResNet-18 at a quarter of the papers' width, and twice as long."""
    return replace(cifar10_noise_025(), model=ResNet18(16), epochs=16)


def _on_signs(objective: Objective) -> Recipe:
    return replace(baselines.signs_pgd_at(), objective=objective, validation=VALIDATION)


def _on_cifar10(objective: Objective) -> Recipe:
    return replace(baselines.cifar10_pgd_at(), objective=objective, validation=VALIDATION)
