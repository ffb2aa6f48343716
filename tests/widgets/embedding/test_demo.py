"""The walk through the embedding under its controls, without a browser."""

import numpy as np
import pytest
import torch
from torch import nn

from seminar_lib import Split
from seminar_lib.widgets import EmbeddingDemo
from seminar_lib.widgets.embedding.demo import IMAGE, State
from seminar_lib.widgets.embedding.scene import STEPS

from ..conftest import (
    as_shown,
    assert_every_control_counts,
    assert_shows_what_render_draws,
    kernel_seconds,
    panel,
)
from .conftest import CLASSES, network


@pytest.fixture
def demo(networks, data):
    return EmbeddingDemo(networks, data, CLASSES)


def test_every_value_of_every_control_shows_what_render_draws(demo):
    assert_shows_what_render_draws(demo)


def test_every_control_changes_picture_and_words(demo):
    assert_every_control_counts(demo)


def test_the_image_of_the_step_is_shown(demo):
    moved = demo.walks(2, 1)[7].pixels
    shown = panel(demo.render(State(2, 1, 7)), *IMAGE, demo.enlarge)
    np.testing.assert_array_equal(shown, as_shown(torch.from_numpy(moved).permute(2, 0, 1)))


def test_the_sentence_says_step_answers_neighbours_and_verdict(demo, data):
    way = demo.walks(1, 0)
    here, clean = way[5], way[0]
    words = demo.describe(State(1, 0, 5))
    true = CLASSES[int(data.y[1])]
    assert words.startswith(f"standard, image 2, {true}, PGD at eps = 8/255, step 5 of 20: ")
    for start, spot in ((": ", here), ("Clean: ", clean)):
        answer = f"{CLASSES[spot.p.argmax()]}, {spot.p.max():.0%}, nearest class {CLASSES[spot.nearest]}. "
        assert start + answer in words
    assert demo.describe(State(8)).endswith("The model was wrong before the attack.")
    ends = [demo.walks(image, 0)[STEPS] for image in range(8)]
    verdicts = [demo.describe(State(image, 0, STEPS)).rsplit(". ", 1)[1] for image in range(8)]
    fooled = [spot.p.argmax() != label for spot, label in zip(ends, data.y.tolist(), strict=False)]
    assert any(fooled)
    assert verdicts == ["Fooled by PGD." if lost else "The model still answers rightly." for lost in fooled]
    assert demo.describe(State(0)).endswith("The model still answers rightly.")


def test_walking_along_runs_no_network_and_coming_back_neither(demo, networks):
    demo.controls["image"].value = 2
    demo.controls["network"].value = 1
    calls = [model.backbone.calls for model in networks.values()]
    for step in range(STEPS + 1):
        demo.controls["step"].value = step
    demo.controls["network"].value = 0
    before = [model.backbone.calls for model in networks.values()]
    assert before[1] == calls[1]
    demo.controls["network"].value = 1
    assert [model.backbone.calls for model in networks.values()] == before


def test_a_step_costs_the_kernel_little(demo):
    """The rest of a key's 100 ms belongs to the browser."""
    assert kernel_seconds(demo.controls["step"], range(1, 11)) < 0.04


def test_class_names_are_text_and_not_html(networks, data):
    sentence = EmbeddingDemo(networks, data, [f"<b>{name}" for name in CLASSES]).sentence.value
    assert "<b>" not in sentence
    assert "&lt;b&gt;" in sentence


BAD = {
    "one network": (
        lambda n, d: EmbeddingDemo(n["wide"], d, CLASSES),
        TypeError,
        "by name, such as {'standard': model}",
    ),
    "no networks": (lambda n, d: EmbeddingDemo({}, d, CLASSES), TypeError, "got dict without any."),
    "no embedding": (
        lambda n, d: EmbeddingDemo({"flat": nn.Sequential(nn.Flatten(), nn.Linear(192, 3))}, d, CLASSES),
        TypeError,
        "needs a Classifier, which has an embedding; got Sequential",
    ),
    "names too few": (lambda n, d: EmbeddingDemo(n, d, CLASSES[:2]), ValueError, "3 classes apart, but there are 2"),
    "a second that differs": (
        lambda n, d: EmbeddingDemo({**n, "half": network(2).double()}, d, CLASSES),
        TypeError,
        "computes in torch.float64",
    ),
    "no images": (lambda n, d: EmbeddingDemo(n, d[:0], CLASSES), ValueError, "no images"),
    "two images": (
        lambda n, d: EmbeddingDemo({"standard": n["standard"]}, d[:2], CLASSES),
        ValueError,
        "three embeddings or more",
    ),
    "labels too large": (
        lambda n, d: EmbeddingDemo(n, Split(d.images, d.labels + 3), CLASSES),
        ValueError,
        "3 classes, 0 to 2",
    ),
}


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(("call", "error", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(call, error, words, networks, data):
    with pytest.raises(error) as caught:
        call(networks, data)
    assert words in str(caught.value)
