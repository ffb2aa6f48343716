"""What every demo of an attack does, whatever it shows."""

import io
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from seminar_lib import SmallCNN, Split
from seminar_lib.data.dataset import Dataset
from seminar_lib.models import UNet
from seminar_lib.widgets import FGSMDemo, ThreatsDemo, TrajectoryDemo
from seminar_lib.widgets.canvas import DENSITY

from .conftest import CLASSES, decoded, values

DEMOS = [FGSMDemo, ThreatsDemo, TrajectoryDemo]


@pytest.fixture(params=DEMOS, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture
def demo(kind, model, data):
    return kind(model, data, CLASSES)


def test_moving_any_control_shows_what_render_draws(demo):
    for name, control in demo.controls.items():
        for value in (values(control)[0], values(control)[-1]):
            control.value = value
            assert getattr(demo.state, name) == value
            np.testing.assert_array_equal(decoded(demo.picture), demo.render(demo.state))
            assert demo.describe(demo.state).replace("'", "&#x27;") in demo.sentence.value


def test_every_control_changes_picture_and_words_but_not_the_size(demo):
    for control in demo.controls.values():
        before, words = decoded(demo.picture), demo.sentence.value
        other = values(control)[0 if control.value != values(control)[0] else 1]
        control.value = other
        after = decoded(demo.picture)
        assert after.shape == before.shape
        assert (after != before).any()
        assert demo.sentence.value != words
    assert demo.picture.width == str(after.shape[1] // DENSITY)


def test_the_model_is_left_as_it_was(kind, data):
    model = SmallCNN(2).build(len(CLASSES), (0.5,) * 3, (0.2,) * 3).train()  # BatchNorm would learn in training mode
    before = deepcopy(model.state_dict())
    demo = kind(model, data, CLASSES)
    demo.controls["image"].value = 1
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    for name, after in model.state_dict().items():
        assert torch.equal(after, before[name]), name


def test_random_numbers_are_the_demo_s_own(kind, model, data):
    before = torch.get_rng_state()
    first, again = (kind(model, data, CLASSES) for _ in range(2))
    np.testing.assert_array_equal(decoded(first.picture), decoded(again.picture))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_error_in_drawing_is_not_swallowed(demo, monkeypatch):
    monkeypatch.setattr(demo, "render", lambda state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.controls["image"].value = 1


def test_every_control_has_a_description(demo):
    assert set(demo.controls) == set(vars(demo.state))
    assert all(control.description for control in demo.controls.values())


def test_the_static_picture_is_the_one_shown_with_the_sentence_as_alt_text(demo):
    demo.controls["image"].value = 2
    static, metadata = demo.static()._repr_mimebundle_()
    assert static["image/png"]
    assert metadata["image/png"]["alt"] == demo.describe(demo.state)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(demo.static().data))), demo.render(demo.state))


def test_a_notebook_shows_the_widget(demo):
    assert demo._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]["model_id"] == demo.widget.model_id


def test_class_names_are_text_and_not_html(kind, model, data):
    demo = kind(model, data, [f"<b>{name}" for name in CLASSES])
    assert "<b>" not in demo.sentence.value
    assert "&lt;b&gt;" in demo.sentence.value


def test_grey_images_and_two_classes_are_drawn(kind):
    images = torch.randint(256, (30, 1, 28, 28), dtype=torch.uint8)
    demo = kind(nn.Sequential(nn.Flatten(), nn.Linear(784, 2)), Split(images, torch.zeros(30).long()), "ab")
    demo.controls["image"].value = 29
    assert demo.render(demo.state).shape == decoded(demo.picture).shape


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": lambda d: d.x}, "data must be a Split, images with their labels; got Tensor"),
        ({"data": lambda d: Dataset("toy", "ab", (0,), (1,), {})}, "got the whole data set 'toy'"),
        ({"model": UNet(8).build(3)}, "model must take images and nothing else; NoisePredictor takes "),
        ({"classes": CLASSES[:3]}, "7 classes apart, but there are 3 names"),
        ({"model": lambda x: x.flatten(1)[:, :7].softmax(1)}, "probabilities"),
        ({"data": lambda d: d[:0]}, "no images"),
        ({"data": lambda d: Split(d.images, d.labels + 7)}, "0 to 6"),
        ({"data": lambda d: Split(torch.zeros(1, 3, 8, 300, dtype=torch.uint8), d.labels[:1])}, "at most"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(kind, model, data, change, words):
    if "data" in change:
        data = change["data"](data)
    if words == "at most":
        model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 300, 7))
        words = f"at most {kind.panel}x{kind.panel} pixels"
    with pytest.raises((TypeError, ValueError), match=words):
        kind(change.get("model", model), data, change.get("classes", CLASSES))
