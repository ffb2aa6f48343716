"""Noise and purification of lesson 10 under their controls, without a browser."""

import numpy as np
import pytest
import torch

from seminar_lib import SmallCNN, Split
from seminar_lib.models import UNet
from seminar_lib.widgets import DiffusionDemo
from seminar_lib.widgets.diffusion.demo import State
from seminar_lib.widgets.diffusion.drawing import PANELS, TOP
from seminar_lib.widgets.diffusion.scene import ATTACKS, TIMES

from ..conftest import (
    CLASSES,
    as_shown,
    assert_every_control_counts,
    assert_shows_what_render_draws,
    decoded,
    kernel_seconds,
    panel,
)


@pytest.fixture
def demo(model, network, data):
    return DiffusionDemo(model, network, data, CLASSES)


def test_every_value_of_every_control_shows_what_render_draws(demo):
    assert_shows_what_render_draws(demo)


def test_every_control_changes_picture_and_words(demo):
    assert_every_control_counts(demo)


def test_the_first_and_the_last_panel_show_the_image_and_what_comes_back(demo, data):
    for attack in range(len(ATTACKS)):
        picture = demo.render(State(2, attack, 100))
        way = demo.purification.way(2, attack, 100)
        shown = as_shown(demo.purification.images[attack][2])
        np.testing.assert_array_equal(panel(picture, PANELS[0], TOP, demo.enlarge), shown)
        back = (255 * way.purified[0]).round()
        np.testing.assert_array_equal(panel(picture, PANELS[2], TOP, demo.enlarge), back)
        noisy = (255 * way.noisy.clip(0, 1)).round()
        np.testing.assert_array_equal(panel(picture, PANELS[1], TOP, demo.enlarge), noisy)


def test_the_sentence_says_both_answers_and_the_draws_that_are_right(demo, data):
    for image in range(len(data)):
        for attack, words in enumerate(("clean", "attacked until it is misread", "attacked to the end")):
            way = demo.purification.way(image, attack, 75)
            true = int(data.y[image])
            said = demo.describe(State(image, attack, 75))
            assert said.startswith(f"Image {image + 1}, {CLASSES[true]}, {words}: ")
            assert f"the network says {CLASSES[way.p_before.argmax()]}, {way.p_before.max():.0%}. " in said
            assert f"up to t = 75, and back, it says {CLASSES[way.p[0].argmax()]}, {way.p[0].max():.0%}; " in said
            assert said.endswith(f"right in {sum(int(row.argmax()) == true for row in way.p)} of 6 draws.")


def test_a_key_press_costs_the_kernel_little(demo):
    """The budget from key to pixels is 100 ms, and what JupyterLab takes of it is measured in the browser."""
    assert kernel_seconds(demo.controls["t"], TIMES * 2) < 0.1


def test_class_names_are_text_and_not_html(model, network, data):
    sentence = DiffusionDemo(model, network, data, [f"<b>{name}" for name in CLASSES]).sentence.value
    assert "<b>" not in sentence
    assert "&lt;b&gt;" in sentence


def test_grey_images_and_two_classes_are_drawn(network):
    images = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 2))
    demo = DiffusionDemo(model, network, Split(images, torch.zeros(3).long()), "ab")
    demo.controls["image"].value = 2
    assert demo.render(demo.state).shape == decoded(demo.picture).shape


BAD = {
    "no diffusion model": (lambda m, n, d: DiffusionDemo(m, 50, d, CLASSES), TypeError, "x_t and t to noise; got int"),
    "both networks swapped": (lambda m, n, d: DiffusionDemo(n, m, d, CLASSES), TypeError, "Are two networks swapped?"),
    "two classifiers": (
        lambda m, n, d: DiffusionDemo(m, SmallCNN(2).build(7, (0.5,) * 3, (0.2,) * 3), d, CLASSES),
        TypeError,
        "x_t and t to noise; got Classifier",
    ),
    "bare images": (lambda m, n, d: DiffusionDemo(m, n, d.x, CLASSES), TypeError, "must be a Split"),
    "names too few": (
        lambda m, n, d: DiffusionDemo(m, n, d, CLASSES[:3]),
        ValueError,
        "7 classes apart, but there are",
    ),
    "no images": (lambda m, n, d: DiffusionDemo(m, n, d[:0], CLASSES), ValueError, "no images"),
    "other channels": (lambda m, n, d: DiffusionDemo(m, UNet(8).build(1), d, CLASSES), ValueError, "channel"),
}


@pytest.mark.parametrize(("call", "error", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(call, error, words, model, network, data):
    with pytest.raises(error) as caught:
        call(model, network, data)
    assert words in str(caught.value)
