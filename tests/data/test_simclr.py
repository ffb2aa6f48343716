"""SimCLR's augmentation, by images whose pixels say where they come from."""

import math

import pytest
import torch

from seminar_lib.data.augment import Augment
from seminar_lib.data.simclr import SimCLRAugment

STILL = {"jitter": 0.0, "grey": 0.0}


def ramp(count: int, size: int = 32) -> torch.Tensor:
    """Red grows to the right, green downwards, from 0 to 1 over the middles of the pixels."""
    line = (torch.arange(size) + 0.5) / size
    image = torch.stack([line.expand(size, size), line[:, None].expand(size, size), torch.zeros(size, size)])
    return image.expand(count, 3, size, size).clone()


def test_it_enlarges_windows_inside_the_image():
    """On a ramp a window is a ramp again: its slopes are its sides, and its ends lie in the image."""
    out = SimCLRAugment(zoom=0.2, **STILL)(ramp(500), torch.Generator().manual_seed(0))
    inner = slice(4, -4)  # the border of the image has no ramp to go on with
    width = (out[:, 0, 16, inner].diff(dim=1) * 32).mean(1)
    height = (out[:, 1, inner, 16].diff(dim=1) * 32).mean(1)
    centre = out[:, :2, 15:17, 15:17].mean((2, 3))
    area, ratio = width * height, height / width
    assert 0.19 < area.min() < 0.25
    assert 0.9 < area.max() <= 1.001
    assert 3 / 4 - 0.01 <= ratio.min() < 0.8
    assert 1.25 < ratio.max() <= 4 / 3 + 0.01
    for side, middle in ((width, centre[:, 0]), (height, centre[:, 1])):
        assert (middle - side / 2 > -0.01).all()
        assert (middle + side / 2 < 1.01).all()
    assert centre.std(0).min() > 0.05


def test_the_whole_image_is_left_alone():
    """A window of the whole area, as far as its ratio allows."""
    x = torch.rand(50, 3, 8, 8)
    out = SimCLRAugment(zoom=1.0, **STILL)(x)
    assert out.shape == x.shape
    assert (out - x).abs().mean() < (SimCLRAugment(zoom=0.2, **STILL)(x) - x).abs().mean()


@pytest.mark.parametrize("grey", [0.0, 0.2, 1.0])
def test_a_share_of_the_images_loses_its_colours(grey):
    out = SimCLRAugment(jitter=0.0, grey=grey)(torch.rand(500, 3, 8, 8), torch.Generator().manual_seed(0))
    colourless = (out == out[:, :1]).flatten(1).all(1).float().mean()
    assert colourless.item() == pytest.approx(grey, abs=3 * math.sqrt(0.25 / 500))


def test_it_stays_in_the_box_and_leaves_its_input_and_the_callers_random_numbers_alone():
    x = torch.rand(50, 3, 8, 8)
    before, state = x.clone(), torch.get_rng_state()
    one, same, other = (SimCLRAugment(flip=True)(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert one.min() >= 0
    assert one.max() <= 1
    assert isinstance(SimCLRAugment(), Augment)
