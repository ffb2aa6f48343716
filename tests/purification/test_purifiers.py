"""What all purifiers promise: the shape, the range, each image by itself, and whose random numbers they draw."""

import re

import pytest
import torch

from seminar_lib.purification import JPEG, Quantise, RandomResize, TotalVariation

FIXED = [Quantise(3), JPEG(40), TotalVariation(drop=0.0)]
RANDOM = [RandomResize(0.8), TotalVariation()]


@pytest.mark.parametrize("purifier", FIXED + RANDOM, ids=repr)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_stay_images_of_the_same_shape(purifier, channels, x):
    images = x[:, :channels]
    purified = purifier(images)
    assert purified.shape == images.shape
    assert purified.dtype == images.dtype
    assert purified.min() >= 0
    assert purified.max() <= 1
    assert not torch.equal(purified, images)


@pytest.mark.parametrize("purifier", FIXED, ids=repr)
def test_neighbours_in_a_batch_change_nothing(purifier, x):
    alone = torch.cat([purifier(image) for image in x.split(1)])
    torch.testing.assert_close(purifier(x), alone)


@pytest.mark.parametrize("purifier", RANDOM, ids=repr)
def test_each_image_has_draws_of_its_own(purifier, x):
    purified = purifier(x[:1].expand(4, -1, -1, -1))
    assert all(not torch.equal(purified[0], other) for other in purified[1:])


@pytest.mark.parametrize("purifier", RANDOM, ids=repr)
def test_a_generator_is_drawn_from_in_the_place_of_the_callers_stream(purifier, x):
    state = torch.get_rng_state()
    first, again = (purifier(x, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)
    drawn = purifier(x)
    assert not torch.equal(drawn, first)
    assert not torch.equal(torch.get_rng_state(), state)
    torch.set_rng_state(state)
    assert torch.equal(purifier(x), drawn)


@pytest.mark.parametrize("purifier", FIXED + RANDOM, ids=repr)
def test_it_prints_its_settings(purifier):
    assert re.fullmatch(r"\w+\(\w+=[\w.=, ]+\)", repr(purifier))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Quantise(0), "at least one bit; got 0"),
        (lambda: JPEG(0), "quality from 1 to 100; got 0"),
        (lambda: JPEG(101), "got 101"),
        (lambda: RandomResize(1.5), "smallest factor in (0, 1]; got 1.5"),
        (lambda: RandomResize(0.0), "got 0.0"),
        (lambda: TotalVariation(0.0), "finite weight > 0, in pixels of [0, 1]; got 0.0"),
        (lambda: TotalVariation(float("nan")), "got nan"),
        (lambda: TotalVariation(drop=1.0), "a share of the pixels in [0, 1); got drop=1.0"),
        (lambda: TotalVariation(steps=0), "at least one step; got 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()
