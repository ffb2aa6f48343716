"""Exercise 7.1 accepts every prediction that does not contradict itself, however far off, and explains the others."""

import numpy as np
import pytest
import torch

from seminar_lib.exercises import similarity
from seminar_lib.exercises.similarity.boxes import _measured

from ..conftest import praises, refuses

LIKELY = {"standard": (0.0, 0.8), "pgd_at": (0.6, 0.95)}

test_every_prediction_that_may_be_is_praised = pytest.mark.slow(
    praises(
        similarity.check_prediction,
        lambda: dict(LIKELY),
        lambda: {"pgd_at": [0.5, 0.5], "standard": [0.5, 0.5]},
        lambda: {"standard": (0, 0), "pgd_at": (0, 1)},
        lambda: {"standard": (np.float32(0.5), torch.tensor(0.5)), "pgd_at": (0.6, 0.9)},
    )
)

test_a_wrong_prediction_gets_its_sentence = refuses(
    similarity.check_prediction,
    (lambda: None, "return a dictionary"),
    (lambda: {"standard": (0.0, 0.8)}, "with the keys 'standard', 'pgd_at'"),
    (lambda: LIKELY | {"pgd_at": 0.6}, "two numbers are asked for"),
    (lambda: LIKELY | {"pgd_at": (0.6, "high")}, "an accuracy must be a number"),
    (lambda: LIKELY | {"pgd_at": (0.6, True)}, "an accuracy must be a number"),
    (lambda: LIKELY | {"pgd_at": (60, 95)}, "Write 40 % as 0.4"),
    (lambda: LIKELY | {"pgd_at": (0.6, 0.4)}, "Who knows more can do all"),
    (lambda: LIKELY | {"standard": (0.7, 0.8)}, "Lesson 1 has measured both"),
    (lambda: {"standard": (1, 1), "pgd_at": (1, 1)}, "to get 100% right under attacks on itself"),
)


@pytest.mark.slow
def test_the_measurement_shows_what_the_sentences_say(capsys):
    """The network without a defence falls in the white box and looks strong in the gray one."""
    found = _measured()
    assert found["standard"][0].high < 0.2
    assert found["standard"][1].low > 0.4
    assert found["standard"][0].high < found["pgd_at"][0].low
    for white, gray in found.values():
        assert white.high < gray.low
    similarity.check_prediction(lambda: LIKELY | {"standard": (0.0, 0.0)})
    assert "farthest off for standard in the gray box" in capsys.readouterr().out
