"""Stickers: where they lie, what they leave alone, and that a learnt one fools."""

import re

import pytest
import torch

from seminar_lib import load, load_data
from seminar_lib.attacks.sticker import Sticker

UPRIGHT = Sticker(size=0.5, turn=0, zoom=0)


def test_an_upright_sticker_of_the_right_size_is_pasted_pixel_by_pixel():
    x = torch.zeros(1, 3, 8, 8)
    sticker = torch.rand(1, 3, 4, 4)
    middle = torch.tensor([[4.0, 4.0, 4.0, 4.0]])
    worn = UPRIGHT.paste(sticker, x, middle)
    expected = x.clone()
    expected[:, :, 2:6, 2:6] = sticker
    torch.testing.assert_close(worn, expected)


def test_pixels_beside_the_sticker_are_left_alone(x):
    worn = UPRIGHT.paste(torch.full((1, 3, 4, 4), 2.0), x)
    on = (worn == 2).all(1)
    assert (on.flatten(1).sum(1) > 0).all()
    assert torch.equal(worn.permute(0, 2, 3, 1)[~on], x.permute(0, 2, 3, 1)[~on])


@pytest.mark.parametrize("sticker", [Sticker(size=0.3), Sticker(size=0.5, turn=45, zoom=0.3)], ids=["small", "large"])
def test_its_area_is_its_size_squared(sticker):
    x = torch.zeros(400, 1, 64, 64)
    worn = sticker.paste(torch.ones(1, 1, 16, 16), x, torch.tensor([[32.0] * 4]).expand(400, 4))
    spread = 1 + sticker.zoom**2 / 3  # the mean square of a uniform zoom
    assert abs(worn.mean().item() - sticker.size**2 * spread) < 0.02 * sticker.size


def test_boxes_say_where_its_centre_goes():
    x = torch.zeros(200, 1, 64, 64)
    small = Sticker(size=0.1, turn=0, zoom=0)
    worn = small.paste(torch.ones(1, 1, 4, 4), x, torch.tensor([[10.0, 20.0, 30.0, 60.0]]).expand(200, 4))
    rows, columns = worn[:, 0].amax(2), worn[:, 0].amax(1)
    place = torch.arange(64.0) + 0.5
    across, down = (columns * place).sum(1) / columns.sum(1), (rows * place).sum(1) / rows.sum(1)
    assert 9 < across.min() < 13
    assert 27 < across.max() < 31
    assert 19 < down.min() < 24
    assert 56 < down.max() < 61


def test_same_seed_gives_the_same_sticker_and_the_callers_numbers_are_left_alone(tiny, x, y):
    state = torch.get_rng_state()
    first, second = (Sticker(steps=3).learn(tiny, x, y, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == (1, 3, 16, 16)
    assert first.min() >= 0
    assert first.max() <= 1


@pytest.mark.slow
def test_a_learnt_sticker_fools_more_than_a_random_one():
    model, _ = load("signs/standard")
    data = load_data("signs")
    train, test = data.validation.sample(256), data.test.sample(256)
    x, y = next(train.batches(256))
    unseen, labels = next(test.batches(256))
    sticker = Sticker(size=0.35, steps=40)
    learnt = sticker.learn(model, x, y, boxes=train.extras["box"], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain, by_chance, by_design = (
            (model(images).argmax(1) == labels).float().mean()
            for images in (
                unseen,
                *(
                    sticker.paste(picture, unseen, test.extras["box"], torch.Generator().manual_seed(0))
                    for picture in (torch.rand_like(learnt), learnt)
                ),
            )
        )
    assert plain > 0.98
    assert by_design < by_chance - 0.2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 0.0}, "size in (0, 1], a zoom in [0, 1) and a turn in [0, 180] degrees; got size=0.0"),
        ({"zoom": 1.0}, "zoom=1.0"),
        ({"turn": -1.0}, "turn=-1.0"),
        ({"steps": 0}, "at least one step, one image a step and one pixel; got steps=0"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Sticker(**settings)
