"""The live curve: the picture of ``training_curve``, anew with each call, and the same in words."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from seminar_lib.plots import training_curve
from seminar_lib.widgets import LiveCurve

from .conftest import decoded

HISTORY = [
    {"epoch": 1, "clean": 1.5, "clean accuracy": 0.6, "robust accuracy": 0.3, "score": 0.3, "seconds": 2.0},
    {"epoch": 2, "clean": 1.2, "clean accuracy": 0.7, "robust accuracy": 0.25, "score": 0.25, "seconds": 2.0},
]
UNDER_WAY = {"epoch": 2.5, "clean": 1.1}


def test_a_call_shows_the_training_curve():
    curve = LiveCurve()
    curve(HISTORY)
    figure, written = Figure((7, 4.6), dpi=200, layout="constrained"), io.BytesIO()
    training_curve(HISTORY, figure.subplots())
    figure.savefig(written, format="png")
    np.testing.assert_array_equal(decoded(curve.picture), np.array(Image.open(written))[..., :3])


def test_the_widget_stays_the_same_and_of_one_size():
    curve = LiveCurve()
    picture, shapes, seen = curve.picture, [], [curve.picture.value]
    for history in (HISTORY[:1], HISTORY, [*HISTORY, UNDER_WAY]):
        curve(history)
        shapes.append(decoded(curve.picture).shape)
        seen.append(curve.picture.value)
    assert curve.picture is picture
    assert set(shapes) == {(920, 1400, 3)}
    assert picture.width == "700"
    assert len(set(seen)) == 4


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([], "The training has not begun."),
        ([{"epoch": 0.25, "clean": 2.0}], "Epoch 1, 25% done. Loss: clean 2."),
        (
            HISTORY,
            "Epoch 2 is done. Loss: clean 1.2. After epoch 2: clean accuracy 70.0%, robust accuracy 25.0%. "
            "Best so far: epoch 1 with 30.0%.",
        ),
        (
            [*HISTORY, UNDER_WAY],
            "Epoch 3, 50% done. Loss: clean 1.1. After epoch 2: clean accuracy 70.0%, robust accuracy 25.0%. "
            "Best so far: epoch 1 with 30.0%.",
        ),
    ],
    ids=["nothing", "first steps", "epoch", "within an epoch"],
)
def test_the_curve_is_told_in_words_too(history, words):
    curve = LiveCurve()
    curve(history)
    assert words in curve.sentence.value
    assert curve.static()._repr_mimebundle_()[1]["image/png"]["alt"] == words
