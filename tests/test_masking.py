"""The planted defences: each layer against its formula, and each defence against plain PGD and its adaptive attack."""

import math
import re

import pytest
import torch
from scipy.fft import dctn, idctn
from torch import nn

from seminar_lib import load, load_data
from seminar_lib.attacks import PGD
from seminar_lib.attacks.base import climb
from seminar_lib.goals import Misclassify
from seminar_lib.masking import (
    DEFENCES,
    JpegLike,
    KWinners,
    Noise,
    Ripple,
    Temperature,
)
from seminar_lib.purification import Quantise, RandomResize
from seminar_lib.threat import Linf

THREAT, N = Linf(8 / 255), 32


@pytest.fixture(scope="module")
def standard():
    return load("signs/standard")[0]


@pytest.fixture(scope="module")
def signs():
    return load_data("signs").test.sample(N)


def wrong(model, x, y) -> int:
    with torch.no_grad():
        return int((model(x).argmax(1) != y).sum())


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFENCES)
def test_it_looks_robust_and_falls_to_the_adaptive_attack(name, standard, signs):
    """Against plain PGD, which fools every image of the undefended model."""
    planted, x, y = DEFENCES[name], signs.x, signs.y
    defended, generator = planted.build(standard), torch.Generator().manual_seed(0)
    assert wrong(standard, PGD(THREAT)(standard, x, y, generator=generator), y) == N
    assert wrong(defended, x, y) <= N / 6
    plain = wrong(defended, PGD(THREAT, steps=20)(defended, x, y, generator=generator), y)
    attack = PGD(THREAT, steps=5, stop_when_fooled=False)
    adaptive = wrong(defended, attack.run(planted.adaptive(defended, y), x, generator), y)
    assert adaptive >= 3 / 4 * N
    assert adaptive - plain >= N / 4


@pytest.mark.parametrize("name", DEFENCES)
def test_the_trained_model_is_left_as_it_was(name, tiny, x, y):
    before = {key: value.clone() for key, value in tiny.state_dict().items()}
    clean = tiny(x)
    planted = DEFENCES[name]
    defended = planted.build(tiny)
    PGD(THREAT, steps=2).run(planted.adaptive(defended, y), x)
    assert torch.equal(tiny(x), clean)
    assert all(torch.equal(value, before[key]) for key, value in tiny.state_dict().items())


def test_blocks_are_rounded_in_the_cosine_transform():
    """Beside scipy's orthonormal DCT, block by block."""
    x, step = torch.rand(2, 3, 16, 24, dtype=torch.float64), 0.13
    ours = JpegLike(step)(x)
    for top in range(0, 16, 8):
        for left in range(0, 24, 8):
            block = x[:, :, top : top + 8, left : left + 8].numpy()
            rounded = (dctn(block, axes=(2, 3), norm="ortho") / step).round() * step
            expected = torch.from_numpy(idctn(rounded, axes=(2, 3), norm="ortho"))
            torch.testing.assert_close(ours[:, :, top : top + 8, left : left + 8], expected, atol=1e-6, rtol=0)


def test_autocast_changes_no_dtype_so_that_the_identity_can_stand_in(x):
    with torch.autocast("cpu", torch.bfloat16):
        assert JpegLike()(x).dtype == x.dtype


def test_images_that_cannot_be_cut_into_blocks_are_refused():
    with pytest.raises(ValueError, match="blocks of 8x8 pixels; got 12x8"):
        JpegLike()(torch.rand(1, 3, 12, 8))


@pytest.mark.parametrize("layer", [Quantise(), JpegLike()], ids=["quantise", "jpeg"])
def test_rounding_has_no_slope(layer, tiny, x, y):
    _, grad = climb(Misclassify(nn.Sequential(layer, tiny), y), x)
    assert (grad == 0).all()


def test_a_large_factor_saturates_the_softmax_and_changes_no_prediction(tiny, x, y):
    cold = nn.Sequential(tiny, Temperature())
    assert torch.equal(cold(x).argmax(1), tiny(x).argmax(1))
    right = tiny(x).argmax(1) == y
    _, grad = climb(Misclassify(cold, y), x)
    assert (grad[right] == 0).all()


def test_noise_has_the_standard_deviation_that_it_says():
    drawn = Noise(0.1)(torch.full((64, 3, 32, 32), 0.5))
    assert abs(drawn.std() - 0.1) < 0.001  # a standard error of 0.00016
    assert abs(drawn.mean() - 0.5) < 0.002


def test_winners_are_the_units_nearest_to_the_value():
    """A loop over units, for one pixel at a time."""
    x = torch.rand(1, 1, 4, 5)
    ours = KWinners(k=3, units=10, gain=0.5)(x)
    for value, answer in zip(x.flatten().tolist(), ours.flatten().tolist(), strict=True):
        units = sorted((abs(value - (j + 0.5) / 10), (j + 0.5) / 10) for j in range(10))[:3]
        assert math.isclose(answer, sum((1 - 0.5 * far) * c for far, c in units) / 3, abs_tol=1e-6)


def test_ripples_are_low_and_steep():
    x = torch.linspace(0, 1, 10_000, dtype=torch.float64).view(1, 1, 100, 100).requires_grad_()
    layer = Ripple()
    answer = layer(x)
    answer.sum().backward()
    assert (answer - x).abs().max() <= 1 / 255 + 1e-12
    expected = 1 + 2 * math.pi / 0.3 * torch.cos(2 * math.pi * 255 / 0.3 * x.detach())
    torch.testing.assert_close(x.grad, expected)
    assert 0.4 < (x.grad < 0).double().mean() < 0.6


@pytest.mark.parametrize("layer", [RandomResize(), Noise()], ids=["resize", "noise"])
def test_random_layers_draw_from_the_global_random_numbers(layer, x):
    first, second = layer(x), layer(x)
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    third = layer(x)
    torch.manual_seed(0)
    assert torch.equal(layer(x), third)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JpegLike(0.0), "step > 0, in pixels of [0, 1]; got 0.0"),
        (lambda: Temperature(-1.0), "factor > 0, or it changes predictions; got -1.0"),
        (lambda: Noise(-0.1), "sigma >= 0, in pixels of [0, 1]; got -0.1"),
        (lambda: KWinners(5, units=4), "1 to 4 winners, one for each unit at most; got 5"),
        (lambda: Ripple(length=0.0), "length > 0, in pixels of [0, 1]; got 0.0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()
