"""Exercise 7.2 accepts every right noise and says what is wrong with each typical wrong one."""

import torch

from seminar_lib.exercises import similarity

from ..conftest import praises, refuses


def scaled(scale):
    return lambda x, variance: x + scale(variance) * torch.randn_like(x)


def by_distribution(x, variance):
    return x + torch.distributions.Normal(0.0, variance**0.5).sample(x.shape)


def of_shape(*shape):
    return lambda x, variance: x + variance**0.5 * torch.randn(shape)


def uniform(reach):
    return lambda x, variance: x + reach(variance) * (2 * torch.rand_like(x) - 1)


def in_place(x, variance):
    return x.add_(variance**0.5 * torch.randn_like(x))


def seeded(x, variance):
    return x + variance**0.5 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


test_every_right_noise_is_praised = praises(
    similarity.check_noise, scaled(lambda v: v**0.5), by_distribution, lambda x, v: torch.normal(x, v**0.5)
)

test_a_wrong_noise_gets_its_sentence = refuses(
    similarity.check_noise,
    (lambda x, v: None, "returns nothing"),
    (lambda x, v: x.clone(), "there is no noise"),
    (scaled(lambda v: v), "you took the variance for it"),
    (scaled(lambda v: v**2), "its *root*"),
    (scaled(lambda v: 1), "as randn gives it"),
    (scaled(lambda v: v**-0.5), "divide by the standard deviation"),
    (scaled(lambda v: 1 / v), "divide by the variance"),
    (scaled(lambda v: 255 * v**0.5), "the standard deviation 45"),
    (lambda x, v: v**0.5 * (x + torch.randn_like(x)), "times the image"),
    (uniform(lambda v: v), "uniform between -variance and +variance"),
    (uniform(lambda v: (3 * v) ** 0.5), "the right variance, but only"),
    (scaled(lambda v: 0.25), "the standard deviation 0.25"),
    (lambda x, v: x + v**0.5 * torch.rand_like(x), "centred at 0"),
    (lambda x, v: (x + v**0.5 * torch.randn_like(x)).clamp(0, 1), "clipped to [0, 1]"),
    (lambda x, v: v**0.5 * torch.randn_like(x), "the noise alone"),
    (of_shape(3, 32, 32), "all images of the batch"),
    (of_shape(16, 1, 32, 32), "all channels of an image"),
    (of_shape(16, 3, 1, 1), "all pixels of an image"),
    (lambda x, v: scaled(lambda v: v**0.5)(x, 8 / 255), "write no number"),
    (lambda x, v: (1 - v) ** 0.5 * x + v**0.5 * torch.randn_like(x), "times the image"),
    (in_place, "in place"),
    (seeded, "the same noise"),
)
