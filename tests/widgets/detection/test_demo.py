"""The movable threshold of lesson 11 under its controls, without a browser."""

import numpy as np
import pytest
import torch

from seminar_lib.widgets import DetectionDemo
from seminar_lib.widgets.detection.demo import State
from seminar_lib.widgets.detection.drawing import heaps
from seminar_lib.widgets.detection.scene import ATTACKS, RATES, Scored

from ..conftest import assert_every_control_counts, assert_shows_what_render_draws, kernel_seconds


@pytest.fixture
def demo(model, detectors, validation, data):
    return DetectionDemo(model, detectors, validation, data)


def test_every_value_of_every_control_shows_what_render_draws(demo):
    assert_shows_what_render_draws(demo)


def test_every_control_changes_picture_and_words(demo):
    assert_every_control_counts(demo)


def test_the_sentence_says_what_is_counted(demo):
    for attack, words in enumerate(("Without an attack", "that does not know the detector", "that knows it")):
        for rate in range(len(RATES)):
            clean, attacked = (demo.watch.scored(0, kind, 4, rate) for kind in (0, attack))
            said = demo.describe(State(0, attack, 4, rate))
            assert f"which rejects {RATES[rate]:.0%} of the validation images" in said
            alarms = int((clean.scores > clean.threshold).sum())
            assert f"Of 4 clean images {alarms} are rejected (false alarms) and {clean.served} served." in said
            assert words in said
            assert f"{int(attacked.wrong.sum())} get a wrong label, {attacked.caught} of these are caught; " in said
            assert said.endswith(f"{attacked.safe} of 4 are safe.")


def test_the_bars_hold_every_image_on_its_side_of_the_threshold():
    scores = torch.tensor([-9.0, 0, 1.9, 2, 2.01, 3, 99])
    wrong = torch.tensor([True, False, True, True, False, True, False])
    for threshold in (-9.0, 0.0, 2.0, 2.5, 50.0):
        scored = Scored(scores, wrong, threshold)
        bars = heaps(scored, (0.0, 4.0))
        for side in (True, False):
            held = np.sum([bar for number, bar in bars.items() if (number >= 0) == side] or [[0, 0]], axis=0)
            there = scored.rejected == side
            assert held.tolist() == [int((there & wrong).sum()), int((there & ~wrong).sum())]


def test_a_move_of_the_threshold_costs_the_kernel_little(demo):
    demo.controls["attack"].value = ATTACKS.index("adaptive")
    assert kernel_seconds(demo.controls["rate"], range(len(RATES))) < 0.1


BAD = {
    "no detectors": (lambda m, s, v, d: DetectionDemo(m, {}, v, d), TypeError, "got dict without any"),
    "one detector": (lambda m, s, v, d: DetectionDemo(m, s["contrast"], v, d), TypeError, "by name"),
    "a function": (lambda m, s, v, d: DetectionDemo(m, {"f": len}, v, d), TypeError, "'f' is a builtin_function"),
    "bare images": (lambda m, s, v, d: DetectionDemo(m, s, v, d.x), TypeError, "data must be a Split"),
    "bare images to validate": (
        lambda m, s, v, d: DetectionDemo(m, s, v.x, d),
        TypeError,
        "validation must be a Split",
    ),
    "no images": (lambda m, s, v, d: DetectionDemo(m, s, v, d[:0]), ValueError, "needs images to attack; got none"),
    "few to validate": (lambda m, s, v, d: DetectionDemo(m, s, v[:50], d), ValueError, "Take 100 images or more"),
}


@pytest.mark.parametrize(("call", "error", "words"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_a_sentence(call, error, words, model, detectors, validation, data):
    with pytest.raises(error) as caught:
        call(model, detectors, validation, data)
    assert words in str(caught.value)
