"""The three balls of lesson 02 without a browser: the library's attacks, their pictures and their lengths."""

import numpy as np
import pytest
import torch

from seminar_lib import APGD, L1, L2, Linf
from seminar_lib.widgets import ThreatsDemo
from seminar_lib.widgets.threats import COLUMNS, STEPS, TOPS, State

from .conftest import CLASSES, as_shown, panel

STATE = State(1, 12, 0.5, 4)
BALLS = [Linf(12 / 255), L2(0.5), L1(4)]


@pytest.fixture
def demo(model, data):
    return ThreatsDemo(model, data, CLASSES)


def attacked(model, data, ball, image=1):
    one = data[image : image + 1]
    attack = APGD(ball, steps=STEPS, stop_when_fooled=False)
    return attack(model, one.x, one.y, generator=torch.Generator().manual_seed(image))[0]


@pytest.mark.parametrize("column", [1, 2, 3])
def test_each_column_shows_the_library_s_attack_in_its_ball(demo, model, data, column):
    x_adv = attacked(model, data, BALLS[column - 1])
    shown = panel(demo.render(STATE), COLUMNS[column], TOPS[0], demo.enlarge)
    np.testing.assert_array_equal(shown, as_shown(x_adv))


@pytest.mark.parametrize("column", [1, 2, 3])
def test_perturbations_are_amplified_to_the_whole_grey_scale(demo, model, data, column):
    delta = (attacked(model, data, BALLS[column - 1]) - data.x[1]).permute(1, 2, 0).numpy()
    shown = panel(demo.render(STATE), COLUMNS[column], TOPS[1], demo.enlarge)
    np.testing.assert_allclose(shown, 127.5 + 127.5 * delta / np.abs(delta).max(), atol=0.51)


def test_the_clean_image_stands_first(demo, data):
    np.testing.assert_array_equal(
        panel(demo.render(STATE), COLUMNS[0], TOPS[0], demo.enlarge), data.images[1].permute(1, 2, 0)
    )


@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_lengths_are_those_of_the_norms_and_end_at_the_radius(demo, model, data, ball):
    delta = attacked(model, data, ball)[None] - data.x[1:2]
    lengths = demo.attacked(1, ball).lengths
    assert lengths["Linf"] == f"{255 * Linf(1).norm(delta).item():.0f}/255"
    assert lengths["L2"] == f"{L2(1).norm(delta).item():.2f}"
    assert lengths["L1"] == f"{L1(1).norm(delta).item():.1f}"
    assert lengths["values changed"] == f"{int(((255 * delta.abs()) > 0.5).sum())} of 192"
    assert ball.norm(delta).item() == pytest.approx(ball.eps, rel=0.05)


def test_the_sentence_says_answers_and_lengths(demo, model, data):
    words = demo.describe(STATE)
    for ball, name in zip(BALLS, ("Linf ball of 12/255", "L2 ball of 0.5", "L1 ball of 4"), strict=True):
        p = model(attacked(model, data, ball)[None]).softmax(1)[0].detach()
        assert f"{name}: {CLASSES[p.argmax()]}, {p.max():.0%} (Linf " in words


def test_a_moved_radius_runs_one_attack_and_a_known_one_none(demo, model):
    calls = {}
    for name, value in (("image", 2), ("l2", 2), ("linf", 4), ("l2", 1), ("linf", 8), ("image", 0)):
        before = model.calls
        demo.controls[name].value = value
        calls[name, value] = model.calls - before
    assert 0 < calls["l2", 2] < calls["image", 2]
    assert calls["l2", 1] == 0 or calls["l2", 1] < calls["image", 2]
    assert calls["linf", 8] == calls["image", 0] == 0
