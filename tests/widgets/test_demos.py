"""What every demo does, whatever it shows; and what those of an attack on one model do."""

import io
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from seminar_lib import SmallCNN, Split
from seminar_lib.data.dataset import Dataset
from seminar_lib.detection import FeatureSqueezing
from seminar_lib.models import UNet
from seminar_lib.widgets import (
    DetectionDemo,
    DiffusionDemo,
    EmbeddingDemo,
    FGSMDemo,
    SmoothingDemo,
    ThreatsDemo,
    TrajectoryDemo,
)
from seminar_lib.widgets.canvas import DENSITY

from .conftest import CLASSES, decoded, values

DEMOS = [FGSMDemo, ThreatsDemo, TrajectoryDemo]
# How each demo is made of two classifiers, a diffusion model and images.
EVERY = {
    **{kind: lambda a, b, unet, data, kind=kind: kind(a, data, CLASSES) for kind in DEMOS},
    DetectionDemo: lambda a, b, unet, data: DetectionDemo(
        a, {"squeezing": FeatureSqueezing(a)}, data[torch.arange(100) % 4], data
    ),
    DiffusionDemo: lambda a, b, unet, data: DiffusionDemo(a, unet, data, CLASSES),
    EmbeddingDemo: lambda a, b, unet, data: EmbeddingDemo({"standard": a, "robust": b}, data, CLASSES),
    SmoothingDemo: lambda a, b, unet, data: SmoothingDemo({0.1: a, 0.4: b}, data, CLASSES),
}
every = pytest.mark.parametrize("make", EVERY.values(), ids=[kind.__name__ for kind in EVERY])


@pytest.fixture
def networks():
    """In training mode, where BatchNorm would learn."""
    classifiers = [SmallCNN(2).build(len(CLASSES), (0.5,) * 3, (0.2,) * 3) for _ in range(2)]
    return nn.ModuleList([*classifiers, UNet(8).build(3)]).train()


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


def move_every_control(demo):
    for control in demo.controls.values():
        control.value = values(control)[-1]


@every
def test_networks_and_random_numbers_are_left_as_they_were(make, networks, data):
    before, numbers, pictures = deepcopy(networks.state_dict()), torch.get_rng_state(), []
    for _ in range(2):
        demo = make(*networks, data)
        move_every_control(demo)
        pictures.append(demo.picture.value)
    assert pictures[0] == pictures[1]
    assert torch.equal(torch.get_rng_state(), numbers)
    assert all(module.training for module in networks.modules())
    assert all(p.requires_grad and p.grad is None for p in networks.parameters())
    for name, after in networks.state_dict().items():
        assert torch.equal(after, before[name]), name


@every
def test_the_static_picture_is_the_one_shown_with_the_sentence_as_alt_text(make, networks, data):
    demo = make(*networks, data)
    move_every_control(demo)
    static, metadata = demo.static()._repr_mimebundle_()
    assert static["image/png"]
    assert metadata["image/png"]["alt"] == demo.describe(demo.state)
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(demo.static().data))), demo.render(demo.state))


def test_an_error_in_drawing_is_not_swallowed(demo, monkeypatch):
    monkeypatch.setattr(demo, "render", lambda state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.controls["image"].value = 1


def test_every_control_has_a_description(demo):
    assert set(demo.controls) == set(vars(demo.state))
    assert all(control.description for control in demo.controls.values())


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
