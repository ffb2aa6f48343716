"""MI-, DI- and TI-FGSM: each transformation alone, against what it is defined as."""

import re

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import PGD
from seminar_lib.attacks.base import climb
from seminar_lib.attacks.transferable import TransferPGD
from seminar_lib.goals import Misclassify
from seminar_lib.threat import Linf

THREAT = Linf(3 / 255)


def test_without_diversity_and_kernel_it_is_momentum_pgd(tiny, x, y):
    plain = PGD(THREAT, steps=5, momentum=1.0, random_start=False, stop_when_fooled=False)
    bare = TransferPGD(THREAT, steps=5, diversity=0.0, kernel=1)
    assert torch.equal(bare(tiny, x, y), plain(tiny, x, y))


@pytest.mark.parametrize("kernel", [3, 5])
def test_the_blurred_gradient_is_the_weighted_mean_over_shifts(kernel, tiny, x, y):
    one_step = TransferPGD(THREAT, steps=1, momentum=0.0, diversity=0.0, kernel=kernel)
    _, grad = climb(Misclassify(tiny, y), x)
    place = torch.linspace(-3, 3, kernel)
    weight = torch.exp(-place.square() / 2)
    reach = kernel // 2
    padded = F.pad(grad, (reach,) * 4)
    blurred = torch.zeros_like(grad)
    for i in range(kernel):
        for j in range(kernel):
            share = weight[i] * weight[j] / weight.sum() ** 2
            blurred += share * padded[:, :, i : i + grad.shape[2], j : j + grad.shape[3]]
    step = (x + 3 / 255 * blurred.sign()).clamp(0, 1)
    moved = one_step.search(Misclassify(tiny, y), x)
    changed = (moved != x).flatten(1).any(1)  # the best of the clean image and the step is returned
    assert changed.any()
    torch.testing.assert_close(moved[changed], step[changed], rtol=0, atol=1e-6)


def test_diverse_looks_are_smaller_pictures_on_black(x, y):
    seen = []

    def model(images):
        seen.append(images.detach())
        return images.flatten(1)[:, :5]

    white = torch.ones_like(x)
    attack = TransferPGD(THREAT, steps=20, diversity=1.0, smallest=0.5, kernel=1)
    attack.search(Misclassify(model, y), white, torch.Generator().manual_seed(0))
    sizes = {int((images[0, 0] > 0.5).any(0).sum()) for images in seen}
    assert all(images.shape == x.shape for images in seen)
    assert min(sizes) == 4
    assert len(sizes) >= 4
    corners = {tuple((images[0, 0] > 0.5).nonzero()[0].tolist()) for images in seen}
    assert len(corners) > 3


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_diversity_is_how_often(share, x, y):
    resized = []

    def model(images):
        resized.append(bool((images == 0).any()))
        return images.flatten(1)[:, :5]

    attack = TransferPGD(Linf(1e-3), steps=400, diversity=share, smallest=0.5, kernel=1)
    attack.search(Misclassify(model, y), torch.full_like(x, 0.5), torch.Generator().manual_seed(0))
    shrunk = share * 7 / 8  # one size in eight is the whole picture
    assert abs(sum(resized) / len(resized) - shrunk) < 0.06


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"diversity": 1.5}, "diversity in [0, 1] and a smallest share in (0, 1]; got diversity=1.5"),
        ({"smallest": 0.0}, "smallest=0.0"),
        ({"kernel": 4}, "odd kernel >= 1, so that it has a centre; got 4"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        TransferPGD(THREAT, **settings)
