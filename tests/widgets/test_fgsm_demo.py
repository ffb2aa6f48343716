"""The demo of lesson 01 without a browser: what it computes, draws and says, for states and for moved controls."""

import io
import time
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from seminar_lib import FGSM, Linf, SmallCNN, Split
from seminar_lib.widgets import FGSMDemo
from seminar_lib.widgets.canvas import DENSITY
from seminar_lib.widgets.fgsm import AMPLIFY, COLUMNS, LARGEST, PANEL_TOP, State

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


@pytest.fixture
def demo(model, data):
    return FGSMDemo(model, data, CLASSES)


def panel(demo, column, state):
    """What a panel shows, taken back to the size of the image; every square must be of one colour."""
    side = demo.enlarge * DENSITY
    left, top = DENSITY * COLUMNS[column], DENSITY * PANEL_TOP
    shown = demo.render(state)[top : top + 8 * side, left : left + 8 * side]
    squares = shown.reshape(8, side, 8, side, 3)
    assert (squares == squares[:, :1, :, :1]).all()
    return squares[:, 0, :, 0].astype(int)


def as_shown(x):
    return (255 * x).round().permute(1, 2, 0).numpy().astype(int)


def decoded(widget):
    return np.array(Image.open(io.BytesIO(widget.value)))


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
    assert demo.describe(State(0, 8, "random")) == expected.format(8, "random signs", "bee", "The model is fooled.")
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
    """Work and not time, so that a busy machine changes nothing; the rest of a key's 100 ms belongs to the browser."""
    costs = []
    for eps in range(10, 20):
        start = time.process_time()
        demo.controls["eps"].value = eps
        costs.append(time.process_time() - start)
    assert np.median(costs) < 0.04


def test_the_model_is_left_as_it_was(data):
    model = SmallCNN(2).build(len(CLASSES), (0.5,) * 3, (0.2,) * 3).train()  # BatchNorm would learn in training mode
    before = deepcopy(model.state_dict())
    demo = FGSMDemo(model, data, CLASSES)
    demo.controls["image"].value = 1
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    for name, after in model.state_dict().items():
        assert torch.equal(after, before[name]), name


def test_an_error_in_drawing_is_not_swallowed(demo, monkeypatch):
    monkeypatch.setattr(demo, "render", lambda state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.controls["eps"].value = 1


def test_every_control_has_a_description(demo):
    assert set(demo.controls) == set(vars(State()))
    assert all(control.description for control in demo.controls.values())


def test_the_static_picture_is_the_one_shown_with_the_sentence_as_alt_text(demo):
    demo.controls["eps"].value = 20
    static, metadata = demo.static()._repr_mimebundle_()
    assert static["image/png"]
    assert metadata["image/png"]["alt"] == demo.describe(demo.state)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(demo.static().data))), demo.render(demo.state))


def test_a_notebook_shows_the_widget(demo):
    assert demo._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"] == demo.widget.model_id


def test_class_names_are_text_and_not_html(model, data):
    demo = FGSMDemo(model, data, [f"<b>{name}" for name in CLASSES])
    assert "<b>" not in demo.sentence.value
    assert "&lt;b&gt;" in demo.sentence.value


def test_grey_images_and_two_classes_are_drawn():
    images = torch.randint(256, (30, 1, 28, 28), dtype=torch.uint8)
    demo = FGSMDemo(nn.Sequential(nn.Flatten(), nn.Linear(784, 2)), Split(images, torch.zeros(30).long()), "ab")
    demo.controls["image"].value = 29  # more images than thumbnails
    assert demo.render(demo.state).shape == decoded(demo.picture).shape


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": CLASSES[:3]}, "7 classes apart, but there are 3 names"),
        ({"model": lambda x: x.flatten(1)[:, :7].softmax(1)}, "probabilities"),
        ({"data": lambda d: d[:0]}, "no images"),
        ({"data": lambda d: Split(d.images, d.labels + 7)}, "0 to 6"),
        ({"data": lambda d: Split(torch.zeros(1, 3, 8, 300, dtype=torch.uint8), d.labels[:1])}, "at most 224x224"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(model, data, change, words):
    if "data" in change:
        data = change["data"](data)
    if words.startswith("at most"):
        model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 300, 7))
    with pytest.raises(ValueError, match=words):
        FGSMDemo(change.get("model", model), data, change.get("classes", CLASSES))
