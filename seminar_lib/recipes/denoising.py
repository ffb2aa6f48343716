"""Networks that give images: a diffusion model and a denoising autoencoder, for purification in front of a classifier.

They are trained without labels, so one serves every classifier of its images. The diffusion model is to draw the images
of the data set, so those of the signs are not changed on the way.
"""

from __future__ import annotations

from dataclasses import replace

from seminar_lib.data.augment import Augment
from seminar_lib.models import Autoencoder, UNet
from seminar_lib.objectives import DDPM, Denoising
from seminar_lib.recipes import baselines
from seminar_lib.schedules import Cosine
from seminar_lib.train import Recipe


def signs_ddpm() -> Recipe:
    """A small DDPM of the signs (Ho et al., NeurIPS 2020), for half an hour on one core of a laptop."""
    return Recipe(
        "signs",
        DDPM(),
        UNet(32),
        epochs=32,
        batch_size=32,
        rate=2e-3,
        schedule=Cosine(warmup=0.02),
        weight_decay=0.0,
        augment=Augment(crop=0),
        ema=0.999,
        optimiser="adam",
    )


def cifar10_ddpm() -> Recipe:
    """The same on CIFAR-10, wider and longer: hours on a GPU. Its images are mirrored, as in the paper."""
    return replace(
        signs_ddpm(),
        dataset="cifar10",
        model=UNet(128),
        epochs=200,
        batch_size=128,
        rate=5e-4,
        augment=Augment(crop=0, flip=True),
        ema=0.9999,
    )


def signs_denoiser() -> Recipe:
    """A denoising autoencoder of the signs, for noise of a deviation up to 0.3."""
    return Recipe(
        "signs",
        Denoising(),
        Autoencoder(),
        epochs=7,
        batch_size=64,
        rate=2e-3,
        schedule=Cosine(warmup=0.02),
        weight_decay=0.0,
        augment=baselines.SIGNS,
        ema=0.99,
        optimiser="adam",
    )


def cifar10_denoiser() -> Recipe:
    """The same on CIFAR-10."""
    return replace(signs_denoiser(), dataset="cifar10", augment=baselines.CIFAR10)
