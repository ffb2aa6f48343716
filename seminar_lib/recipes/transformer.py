"""A small vision transformer on signs: the images, the attack and the augmentation of the small network.

It has to learn from the images what a convolution is given, that a sign two pixels to the left is the same sign, and
takes five times as many epochs. Patches of 8x8 pixels in place of 4x4 make a quarter of the words, and an epoch less
than half as long. Adam, as transformers are trained.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.models import ViT
from seminar_lib.recipes import baselines
from seminar_lib.schedules import Cosine
from seminar_lib.train import Recipe

SMALL = ViT(patch=8, layers=4, heads=2, features=64)


def signs_vit_standard() -> Recipe:
    """Plain cross-entropy for a vision transformer."""
    return replace(
        baselines.signs_standard(),
        model=SMALL,
        epochs=60,
        rate=2e-3,
        schedule=Cosine(warmup=0.1),
        weight_decay=0.0,
        optimiser="adam",
    )


def signs_vit_pgd_at() -> Recipe:
    """Adversarial training as in ``signs_pgd_at``, from where ``signs_vit_standard`` ends."""
    standard, at = signs_vit_standard(), baselines.signs_pgd_at()
    return replace(
        standard, objective=at.objective, epochs=at.epochs, validation=at.validation, rate=1e-3, start=standard
    )
