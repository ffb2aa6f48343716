"""The votes and the radius of lesson 09 under their controls, without a browser."""

import numpy as np
import pytest
import torch

from seminar_lib import Split
from seminar_lib.widgets import SmoothingDemo
from seminar_lib.widgets.smoothing.demo import IMAGE, State
from seminar_lib.widgets.smoothing.scene import LOOKS

from ..conftest import (
    CLASSES,
    assert_every_control_counts,
    assert_shows_what_render_draws,
    decoded,
    kernel_seconds,
    panel,
    values,
)


@pytest.fixture
def demo(networks, data):
    return SmoothingDemo(networks, data, CLASSES)


def test_every_value_of_every_control_shows_what_render_draws(demo):
    assert_shows_what_render_draws(demo)


def test_every_control_changes_picture_and_words(demo):
    assert_every_control_counts(demo)


def test_the_clean_image_is_shown(demo, data):
    shown = panel(demo.render(State(2)), *IMAGE, demo.enlarge)
    np.testing.assert_array_equal(shown, data.images[2].permute(1, 2, 0))


def test_sigma_goes_up_and_each_has_its_network(data, model):
    """The network of the larger noise takes everything for the first class."""
    first = 9 * torch.eye(len(CLASSES))[0]
    demo = SmoothingDemo({0.4: lambda x: first.expand(len(x), -1), 0.1: lambda x: model(x)}, data, CLASSES)
    assert [name for name, _ in demo.controls["noise"].options] == ["0.1", "0.4"]
    assert demo.describe(State(1, 1)).startswith(
        f"Image 2, {CLASSES[int(data.y[1])]}, sigma = 0.4: of 100 noisy copies 100 are taken for ant."
    )


def test_the_sentence_says_votes_bound_and_verdict(demo, data):
    seen = set()
    for image in range(len(data)):
        for noise, polls in enumerate(demo.polls):
            for looks in LOOKS:
                proof = polls.proof(image, looks)
                words = demo.describe(State(image, noise, looks))
                assert f"of {looks} noisy copies {proof.hits} are taken for {CLASSES[proof.label]}. " in words
                assert f"at least {proof.p_lower:.3f} (alpha = 0.001)" in words
                if proof.radius == 0:
                    end = "ABSTAIN."
                else:
                    end = "right." if proof.label == int(data.y[image]) else "wrong."
                    assert f"the radius {proof.radius:.2f} gets another answer" in words
                assert words.endswith(end)
                seen.add(end)
    assert seen == {"ABSTAIN.", "right.", "wrong."}


def test_the_first_image_is_ready_and_no_other_image_is_asked_twice(demo, model):
    calls = model.calls
    for noise in values(demo.controls["noise"]):
        for looks in values(demo.controls["looks"]):
            demo.polls[noise].proof(0, looks)
    assert model.calls == calls
    for again in range(2):
        for image in (1, 2):
            demo.render(State(image, 1, LOOKS[-1]))
        calls, before = model.calls, calls
        assert (calls > before) == (again == 0)


def test_a_key_press_costs_the_kernel_little(demo):
    """The budget from key to pixels is 100 ms, and what JupyterLab takes of it is measured in the browser."""
    assert kernel_seconds(demo.controls["looks"], LOOKS * 3) < 0.1


def test_class_names_are_text_and_not_html(networks, data):
    sentence = SmoothingDemo(networks, data, [f"<b>{name}" for name in CLASSES]).sentence.value
    assert "<b>" not in sentence
    assert "&lt;b&gt;" in sentence


def test_grey_images_and_two_classes_are_drawn():
    images = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 2))
    demo = SmoothingDemo({0.25: model}, Split(images, torch.zeros(3).long()), "ab")
    demo.controls["image"].value = 2
    assert demo.render(demo.state).shape == decoded(demo.picture).shape


BAD = {
    "one network": (lambda n, d: SmoothingDemo(n[0.1], d, CLASSES), TypeError, "for each sigma, such as {0.25: model}"),
    "no networks": (lambda n, d: SmoothingDemo({}, d, CLASSES), TypeError, "got dict without any."),
    "names too few": (lambda n, d: SmoothingDemo(n, d, CLASSES[:3]), ValueError, "7 classes apart, but there are 3"),
    "no noise": (lambda n, d: SmoothingDemo({0: n[0.1]}, d, CLASSES), ValueError, "finite sigma > 0"),
    "no images": (lambda n, d: SmoothingDemo(n, d[:0], CLASSES), ValueError, "no images"),
    "a second that differs": (
        lambda n, d: SmoothingDemo({**n, 0.5: lambda x: n[0.1](x)[:, :3]}, d, CLASSES),
        ValueError,
        "3 classes apart, but there are 7",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(call, error, words, networks, data):
    with pytest.raises(error) as caught:
        call(networks, data)
    assert words in str(caught.value)
