"""Networks to be smoothed: training on noise of three sizes, and at the middle one by SmoothAdv and with consistency.

Each name ends with the noise's deviation in hundredths. All have the epochs and the small network of ``signs_pgd_at``.
They are judged by ``certify_set``: no accuracy of the network itself says how well it smooths. The radii are the
largest that 100,000 samples can certify.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.objectives import Consistency, NoiseTraining, Objective, SmoothAdv
from seminar_lib.recipes import baselines
from seminar_lib.train import Recipe


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


def _on_signs(objective: Objective) -> Recipe:
    return replace(baselines.signs_pgd_at(), objective=objective, validation=None)
