"""What the tests of the demos share: a linear model, four images, and eyes for pictures."""

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from seminar_lib import Split
from seminar_lib.widgets.canvas import DENSITY

CLASSES = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"]


class Linear(nn.Module):
    """Logits w . x, whose gradient is known in closed form; counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 8 * 8, len(CLASSES))
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x.flatten(1))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Linear()


@pytest.fixture
def data(model):
    """Four images; the model is right about all but the last."""
    images = torch.randint(256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    with torch.no_grad():
        labels = model(images / 255).argmax(1)
    labels[3] = (labels[3] + 1) % len(CLASSES)
    return Split(images, labels)


def panel(picture, left, top, enlarge):
    """What a panel shows, taken back to the size of the image; every square must be of one colour."""
    side = enlarge * DENSITY
    shown = picture[DENSITY * top :, DENSITY * left :][: 8 * side, : 8 * side]
    squares = shown.reshape(8, side, 8, side, 3)
    assert (squares == squares[:, :1, :, :1]).all()
    return squares[:, 0, :, 0].astype(int)


def as_shown(x):
    return (255 * x).round().permute(1, 2, 0).numpy().astype(int)


def decoded(widget):
    return np.array(Image.open(io.BytesIO(widget.value)))


def values(control):
    return [value for _, value in control.options]


def assert_shows_what_render_draws(demo):
    """Under every value of every control the picture is what ``render`` draws of the state, and its words stand by."""
    size = decoded(demo.picture).shape
    for name, control in demo.controls.items():
        for value in values(control):
            control.value = value
            assert getattr(demo.state, name) == value
            picture = decoded(demo.picture)
            np.testing.assert_array_equal(picture, demo.render(demo.state))
            assert picture.shape == size
            assert demo.describe(demo.state).replace("'", "&#x27;") in demo.sentence.value
    assert demo.picture.height == str(size[0] // DENSITY)


def assert_every_control_counts(demo):
    """Each field of the state has a control with a name, which changes picture and words."""
    assert set(demo.controls) == set(vars(demo.state))
    for control in demo.controls.values():
        before, words = demo.picture.value, demo.sentence.value
        control.value = next(value for value in values(control)[::-1] if value != control.value)
        assert demo.picture.value != before
        assert demo.sentence.value != words
        assert control.description


def kernel_seconds(control, values):
    """The median work of moving a control to one of these values; not time, so that a busy machine changes nothing."""
    costs = []
    for value in values:
        start = time.process_time()
        control.value = value
        costs.append(time.process_time() - start)
    return np.median(costs)
