"""JPEG beside Pillow's, which writes a real file, and beside a loop over the blocks with scipy's cosine transform."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.fft import dctn, idctn

from seminar_lib.data import load_data
from seminar_lib.purification import JPEG
from seminar_lib.purification.cosines import inverse, transform
from seminar_lib.purification.jpeg import BRIGHTNESS


@pytest.fixture(scope="module")
def signs():
    return load_data("signs").test.sample(16).x


def by_pillow(x: torch.Tensor, quality: int) -> torch.Tensor:
    """Written and read as bytes, with colour at full resolution."""
    read = []
    for image in (255 * x).round().byte():
        file, pixels = BytesIO(), image.permute(1, 2, 0).numpy()
        Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=quality, subsampling=0)
        read.append(torch.from_numpy(np.array(Image.open(file))).view(pixels.shape).permute(2, 0, 1))
    return torch.stack(read) / 255


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 95, 100])
def test_it_is_pillows_but_for_the_rounding_to_bytes(quality, signs):
    """A file rounds colours to bytes before the transform and pixels after it: half a grey level each, and where that
    turns a coefficient over, a step of a coefficient in a block here and there. Grey images are bytes to begin with.
    """
    apart = 255 * (JPEG(quality)(signs) - by_pillow(signs, quality)).abs()
    assert apart.mean() < 1.2
    grey = signs[:, :1]
    apart = 255 * (JPEG(quality)(grey) - by_pillow(grey, quality)).abs()
    assert apart.mean() < 0.5
    assert apart.median() <= 0.5


@pytest.mark.parametrize("quality", [1, 10, 75])
def test_it_is_nearer_to_pillows_file_than_to_the_image(quality, signs):
    file = by_pillow(signs, quality)
    assert (JPEG(quality)(signs) - file).abs().mean() < (signs - file).abs().mean() / 3


def test_sides_that_are_no_multiples_of_8_are_filled_up_as_pillow_does(signs):
    x = signs[:, :, :29, :18]
    assert JPEG(30)(x).shape == x.shape
    assert 255 * (JPEG(30)(x) - by_pillow(x, 30)).abs().mean() < 1.2


@pytest.mark.parametrize("quality", [20, 90])
def test_grey_images_are_rounded_block_by_block(quality):
    x = torch.rand(2, 1, 16, 24, dtype=torch.float64)
    scale = {20: 250, 90: 20}[quality]  # percent, by the rule of the Independent JPEG Group
    steps = np.array([[min(255, (step * scale + 50) // 100) for step in row] for row in BRIGHTNESS])
    expected = torch.empty_like(x)
    for top in range(0, 16, 8):
        for left in range(0, 24, 8):
            block = 255 * x[:, :, top : top + 8, left : left + 8].numpy() - 128
            rounded = (dctn(block, axes=(2, 3), norm="ortho") / steps).round() * steps
            expected[:, :, top : top + 8, left : left + 8] = torch.from_numpy(
                (idctn(rounded, axes=(2, 3), norm="ortho") + 128) / 255
            )
    torch.testing.assert_close(JPEG(quality)(x), expected.clamp(0, 1), atol=1e-6, rtol=0)


def test_the_transform_keeps_lengths_and_comes_back(x):
    coefficients = transform(x)
    torch.testing.assert_close(coefficients.norm(), x.norm())
    torch.testing.assert_close(inverse(coefficients), x)
    torch.testing.assert_close(
        coefficients[..., 0, 0].flatten(1), 8 * x.mean((2, 3))
    )  # one block, eight times its mean


def test_autocast_changes_nothing(signs):
    with torch.autocast("cpu", torch.bfloat16):
        answer = JPEG(50)(signs)
    assert torch.equal(answer, JPEG(50)(signs))


def test_two_channels_are_refused():
    with pytest.raises(ValueError, match="red, green and blue; got 2 channels"):
        JPEG()(torch.rand(1, 2, 8, 8))
