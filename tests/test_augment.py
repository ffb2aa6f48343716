"""Augmentations, against what they say they do, pixel by pixel."""

import numpy as np
import pytest
import torch

from seminar_lib.data.augment import Augment


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(200, 3, 6, 7)


def test_a_crop_is_a_window_of_the_mirrored_out_image(x):
    cropped = Augment(crop=2)(x)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)], mode="reflect")
    places = set()
    for image, wide in zip(cropped.numpy(), padded, strict=True):
        windows = {(i, j): wide[:, i : i + 6, j : j + 7] for i in range(5) for j in range(5)}
        found = [place for place, window in windows.items() if np.array_equal(window, image)]
        assert len(found) == 1
        places.update(found)
    assert len(places) == 25  # and every window occurs


def test_a_flip_mirrors_half_of_the_images(x):
    flipped = Augment(crop=0, flip=True)(x)
    kept = (flipped == x).flatten(1).all(1)
    mirrored = (flipped == x.flip(3)).flatten(1).all(1)
    assert (kept ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_jitter_scales_brightness_and_colour_within_its_fraction():
    grey = torch.full((200, 3, 4, 4), 0.5)  # no contrast to stretch, and nothing that clips
    ratio = Augment(crop=0, jitter=0.2)(grey) / grey
    assert (ratio == ratio[:, :, :1, :1]).all()
    assert 0.8 * 0.9 <= ratio.min() < 0.8
    assert 1.2 < ratio.max() <= 1.2 * 1.1
    cast = ratio[:, 0] / ratio[:, 1]
    assert 0.9 / 1.1 <= cast.min() < cast.max() <= 1.1 / 0.9
    assert len(ratio[:, 0, 0, 0].unique()) > 190


def test_jitter_stretches_contrast_about_the_mean():
    """Two grey levels; their ratio, which brightness cannot change, follows from the stretch alone."""
    x = torch.full((200, 3, 2, 2), 0.4)
    x[:, :, 0] = 0.6
    out = Augment(crop=0, jitter=0.2)(x)
    ratio = out[:, 0, 0, 0] / out[:, 0, 1, 0]
    stretch = (ratio - 1) / (ratio + 1) * 0.5 / 0.1  # (0.5 + 0.1 s) / (0.5 - 0.1 s) = ratio
    assert 0.8 - 1e-4 <= stretch.min() < 0.85
    assert 1.15 < stretch.max() <= 1.2 + 1e-4


def test_strong_jitter_stays_in_the_box(x):
    out = Augment(crop=0, jitter=1.0)(x)
    assert out.min() == 0
    assert out.max() == 1


def test_nothing_asked_for_is_nothing_done(x):
    assert Augment(crop=0, flip=False, jitter=0.0)(x) is x


def test_a_seed_decides_everything(x):
    augment = Augment(crop=2, flip=True, jitter=0.3)
    before, state = x.clone(), torch.get_rng_state()
    one, same, other = (augment(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)


def test_images_are_changed_independently():
    same = torch.rand(1, 3, 8, 8).expand(20, -1, -1, -1)
    out = Augment(crop=0, jitter=0.3)(same)
    assert len(out.flatten(1).unique(dim=0)) == 20
