"""The unnamed networks of lesson 12 without a browser: their evidence beside the library's, and answers to guesses."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from seminar_lib import FGSM, SmallCNN, Split
from seminar_lib.masking import DEFENCES
from seminar_lib.widgets import MaskingDemo
from seminar_lib.widgets.masking.demo import IMAGE, State
from seminar_lib.widgets.masking.quiz import EVIDENCE, HIDDEN, REMEDIES, WORDS
from seminar_lib.widgets.masking.symptoms import BALL, LEVELS, LONGEST

from .conftest import CLASSES, Linear, as_shown, decoded, panel

PLACES = {name: place for place, name in enumerate(HIDDEN)}


@pytest.fixture(scope="module")
def model():
    """Sharp enough that a step of the ball turns some answers around."""
    torch.manual_seed(0)
    linear = Linear()
    with torch.no_grad():
        linear.layer.weight.mul_(4)
    return linear


@pytest.fixture(scope="module")
def robust():
    torch.manual_seed(1)
    return Linear()


@pytest.fixture(scope="module")
def data(model):
    images = torch.randint(256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    with torch.no_grad():
        return Split(images, model(images / 255).argmax(1))


@pytest.fixture(scope="module")
def demo(model, robust, data):
    return MaskingDemo(model, robust, data, CLASSES)


def test_every_trick_is_planted_once_and_two_networks_are_honest():
    assert sorted(HIDDEN.values()) == sorted([*(guess for guess in WORDS if guess != "none"), "honest"])
    for name, guess in HIDDEN.items():
        if guess != "honest":
            assert DEFENCES[name].trick.name == WORDS[guess]


def test_accuracies_are_those_of_the_library(demo, model, robust, data):
    for name, network in (("standard", model), ("pgd_at", robust)):
        right = demo.measured(PLACES[name]).right
        x_adv = FGSM(BALL)(network, data.x, data.y)
        assert right["clean"] == int((network(data.x).argmax(1) == data.y).sum())
        assert right["FGSM"] == int((network(x_adv).argmax(1) == data.y).sum())


@pytest.mark.parametrize("name", [name for name in HIDDEN if name != "noise"])
def test_the_walk_along_the_own_gradient_is_that_of_autograd(demo, data, name):
    """At its end, of a network that repeats itself."""
    network, pixels = demo.networks[PLACES[name]], data.x.clone().requires_grad_()
    loss = nn.functional.cross_entropy(network(pixels), data.y, reduction="sum")
    sign = torch.autograd.grad(loss, pixels)[0].sign()
    with torch.no_grad():
        p = network((data.x + LONGEST / 255 * sign).clamp(0, 1)).softmax(1)
    found = demo.measured(PLACES[name]).p["own"]
    assert found.shape == (4, LEVELS)
    np.testing.assert_allclose(found[:, -1], p[torch.arange(4), data.y].numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "cross_entropy", "of_margin", "random"),
    [
        ("standard", False, False, False),
        ("pgd_at", False, False, False),
        ("quantise", True, True, False),
        ("temperature", True, False, False),
        ("ripple", False, False, False),
        ("noise", False, False, True),
    ],
)
def test_the_facts_tell_the_tricks_apart(demo, name, cross_entropy, of_margin, random):
    found = demo.measured(PLACES[name])
    assert found.random == random
    assert found.flat == (4 * cross_entropy, 4 * of_margin)
    words = demo.describe(State(PLACES[name]))
    assert ("two looks at the same images differ" in words) == random


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("guess", WORDS)
def test_a_guess_is_answered_with_its_reason(demo, name, guess):
    words = demo.describe(State(PLACES[name], 0, guess))
    if guess == "none":
        assert "Which trick is it?" in words
    elif guess == HIDDEN[name]:
        assert f"Right: {WORDS[guess]}. {EVIDENCE[guess]} {REMEDIES[guess]}" in words
    else:
        assert f"Not {WORDS[guess]}. That would show itself like this: {EVIDENCE[guess]}" in words
        assert WORDS[HIDDEN[name]] not in words, "the answer is not given away"


def test_the_image_is_shown(demo, data):
    shown = panel(demo.render(State(image=2)), *IMAGE, demo.enlarge)
    np.testing.assert_array_equal(shown, as_shown(data.x[2]))


def test_every_control_changes_picture_and_words_but_not_the_size(demo):
    for control in demo.controls.values():
        before, words = decoded(demo.picture), demo.sentence.value
        values = [value for _, value in control.options]
        control.value = values[-1] if control.value != values[-1] else values[0]
        after = decoded(demo.picture)
        np.testing.assert_array_equal(after, demo.render(demo.state))
        assert after.shape == before.shape
        assert (after != before).any()
        assert demo.sentence.value != words


def test_a_control_asks_the_networks_nothing(demo, model):
    before = model.calls
    for name in ("network", "image", "guess"):
        for _, value in demo.controls[name].options:
            demo.controls[name].value = value
    assert model.calls == before


def test_models_and_random_numbers_are_left_as_they_were(data):
    models = [SmallCNN(2).build(len(CLASSES), (0.5,) * 3, (0.2,) * 3).train() for _ in range(2)]
    before, numbers = deepcopy([model.state_dict() for model in models]), torch.get_rng_state()
    pictures = [MaskingDemo(*models, data, CLASSES).picture.value for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert torch.equal(torch.get_rng_state(), numbers)
    for model, state in zip(models, before, strict=True):
        assert all(module.training for module in model.modules())
        assert all(torch.equal(after, state[name]) for name, after in model.state_dict().items())


def test_what_does_not_fit_is_refused_in_a_sentence(model, robust, data):
    with pytest.raises(ValueError, match="7 classes apart, but there are 3 names"):
        MaskingDemo(model, robust, data, CLASSES[:3])
    with pytest.raises(TypeError, match="data must be a Split, images with their labels; got Tensor"):
        MaskingDemo(model, robust, data.x, CLASSES)
    with pytest.raises(TypeError, match=r"data must be a Split, .* got Linear"):
        MaskingDemo(model, data, robust, CLASSES)
