"""The demo of lesson 01 without a browser: what it computes, draws and says, for states and for moved controls."""

import numpy as np
import pytest
import torch

from seminar_lib import FGSM, Linf, Split
from seminar_lib.widgets import FGSMDemo
from seminar_lib.widgets.canvas import DENSITY
from seminar_lib.widgets.fgsm import AMPLIFY, COLUMNS, LARGEST, PANEL_TOP, State

from . import conftest
from .conftest import CLASSES, as_shown, decoded, kernel_seconds


@pytest.fixture
def demo(model, data):
    return FGSMDemo(model, data, CLASSES)


def panel(demo, column, state):
    return conftest.panel(demo.render(state), COLUMNS[column], PANEL_TOP, demo.enlarge)


@pytest.mark.parametrize("eps", [1, 8, LARGEST])
@pytest.mark.parametrize("image", range(4))
def test_the_gradient_direction_is_the_library_s_fgsm(demo, model, data, image, eps):
    one = data[image : image + 1]
    x_adv = FGSM(Linf(eps / 255), stop_when_fooled=False)(model, one.x, one.y)
    np.testing.assert_array_equal(panel(demo, 2, State(image, eps)), as_shown(x_adv[0]))


@pytest.mark.parametrize("eps", [0, 5, LARGEST])
def test_probabilities_follow_the_closed_form(demo, model, data, eps):
    """For logits Wx + b the gradient of the cross-entropy is W^T (p - e_y)."""
    weights, bias = (t.detach().double().numpy() for t in model.layer.parameters())
    x, y = data.x[1].double().numpy().ravel(), int(data.y[1])
    p = softmax(weights @ x + bias)
    step = np.sign(weights.T @ (p - np.eye(len(CLASSES))[y]))
    expected = softmax(weights @ np.clip(x + eps / 255 * step, 0, 1) + bias)
    np.testing.assert_allclose(demo.sweeps(1)["gradient"].p[eps], expected, atol=1e-5)


def softmax(z):
    odds = np.exp(z - z.max())
    return odds / odds.sum()


def test_random_signs_change_every_pixel_by_eps_either_way(demo, data):
    image = data.images[0].permute(1, 2, 0).numpy().astype(int)
    change = panel(demo, 2, State(0, 10, "random")) - image
    inside = (image >= 10) & (image <= 245)
    assert set(np.unique(change[inside])) == {-10, 10}
    assert 0.35 < (change > 0).mean() < 0.65
    np.testing.assert_array_equal(change, panel(demo, 2, State(0, 10, "random")) - image)


def test_the_panels_show_x_the_amplified_change_and_their_sum(demo, data):
    state = State(2, 13)
    clean, change, changed = (panel(demo, column, state) for column in range(3))
    np.testing.assert_array_equal(clean, data.images[2].permute(1, 2, 0).numpy())
    np.testing.assert_allclose(change, 127.5 + AMPLIFY * (changed - clean), atol=0.5)


def test_eps_zero_is_mid_grey_and_no_change(demo):
    for direction in ("gradient", "random"):
        clean, change, changed = (panel(demo, column, State(0, 0, direction)) for column in range(3))
        assert set(np.unique(change)) <= {127, 128}
        np.testing.assert_array_equal(changed, clean)


def test_the_sentence_says_sizes_answers_and_verdict(demo, data):
    demo.sweeps = lambda image: {"gradient": sweep, "random": sweep}
    sweep = type("", (), {"p": np.eye(len(CLASSES))[[0] * 8 + [1] * 25] * 0.6 + 0.4 / len(CLASSES)})
    demo.data = Split(data.images, torch.tensor([0, 1, 0, 0]))
    expected = "eps = {}/255 along {}. Clean: ant, 66%. Changed: {}, 66%. {}"
    assert demo.describe(State(0, 3)) == expected.format(3, "sign(gradient)", "ant", "The model still answers rightly.")
    assert demo.describe(State(0, 8, "random")) == expected.format(8, "random signs", "bee", "Fooled by random signs.")
    assert demo.describe(State(1, 8)).endswith("The model was wrong before the attack.")


def test_moving_controls_shows_what_render_draws(demo):
    for name, values in {"eps": [0, 3, LARGEST], "image": [3, 1], "direction": ["random", "gradient"]}.items():
        for value in values:
            demo.controls[name].value = value
            assert getattr(demo.state, name) == value
            np.testing.assert_array_equal(decoded(demo.picture), demo.render(demo.state))
            assert demo.describe(demo.state) in demo.sentence.value
    assert demo.state == State(1, LARGEST, "gradient")


def test_every_state_has_another_picture_of_the_same_size(demo):
    states = [State(i, eps, d) for i in range(4) for eps in (0, 1, LARGEST) for d in ("gradient", "random")]
    pictures = [demo.render(state) for state in states]
    assert {picture.shape for picture in pictures} == {decoded(demo.picture).shape}
    assert len({picture.tobytes() for picture in pictures}) == len(states)
    assert demo.picture.width == str(pictures[0].shape[1] // DENSITY)


def test_dragging_eps_runs_the_model_no_more(demo, model):
    demo.controls["image"].value = 2
    calls = model.calls
    for eps in range(LARGEST + 1):
        demo.controls["eps"].value = eps
    demo.controls["direction"].value = "random"
    assert model.calls == calls


def test_an_update_costs_the_kernel_little(demo):
    """The rest of a key's 100 ms belongs to the browser."""
    assert kernel_seconds(demo.controls["eps"], range(10, 20)) < 0.04
