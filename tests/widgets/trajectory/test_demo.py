"""The walk of lesson 02 under its controls, without a browser."""

import numpy as np
import pytest
import torch

from seminar_lib.widgets import TrajectoryDemo
from seminar_lib.widgets.trajectory.demo import COLUMNS, State
from seminar_lib.widgets.trajectory.drawing import MAP
from seminar_lib.widgets.trajectory.scene import STEPS

from ..conftest import CLASSES, as_shown, kernel_seconds, panel


@pytest.fixture
def demo(model, data):
    return TrajectoryDemo(model, data, CLASSES)


def test_the_panels_show_the_image_and_its_amplified_perturbation(demo, scene, data):
    moved = scene(2, 16).walk[7].pixels
    picture = demo.render(State(2, 16, 2, 0, 7))
    np.testing.assert_array_equal(
        panel(picture, COLUMNS[0], MAP[1], demo.enlarge), as_shown(torch.from_numpy(moved).permute(2, 0, 1))
    )
    delta = moved - data.x[2].permute(1, 2, 0).numpy()
    shown = panel(picture, COLUMNS[1], MAP[1], demo.enlarge)
    np.testing.assert_allclose(shown, 127.5 + 127.5 * delta * 255 / 16, atol=0.51)


def test_the_sentence_says_settings_answers_margins_and_verdict(demo, scene):
    here = scene(1, 8, 4, 2)
    words = demo.describe(State(1, 8, 4, 2, 5))
    assert words.startswith("PGD from the random 2 start, step 5 of 20, step size 4/255, eps = 8/255: ")
    name, p = CLASSES[here.walk[5].p.argmax()], here.walk[5].p.max()
    assert f"{name}, {p:.0%}, margin {here.walk[5].margin:+.2f}. FGSM: " in words
    assert demo.describe(State(3)).endswith("The model was wrong before the attack.")
    by = [name for name, spot in (("PGD", here.walk[5]), ("FGSM", here.fgsm)) if spot.margin > 0]
    assert words.endswith(f"Fooled by {' and by '.join(by)}." if by else "The model still answers rightly.")
    verdicts = {demo.describe(State(1, eps, 1)).rsplit(": ")[-1].rsplit(". ")[-1] for eps in (1, 32)}
    assert len(verdicts) == 2


def test_walking_along_runs_the_model_no_more(demo, model):
    demo.controls["image"].value = 2
    calls = model.calls
    for step in range(STEPS + 1):
        demo.controls["step"].value = step
    assert model.calls == calls


def test_a_step_costs_the_kernel_little(demo):
    """The rest of a key's 100 ms belongs to the browser."""
    assert kernel_seconds(demo.controls["step"], range(10)) < 0.04
