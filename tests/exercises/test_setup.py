"""The check of lesson 00."""

import pytest

from seminar_lib.exercises import setup
from seminar_lib.exercises.marking import Mistake


def stub(x, x_adv):
    raise NotImplementedError


@pytest.mark.parametrize(
    "answer",
    [
        lambda x, x_adv: (x_adv - x).abs().amax((1, 2, 3)),
        lambda x, x_adv: (x - x_adv).flatten(1).norm(float("inf"), dim=1),
    ],
)
def test_a_right_answer_is_praised(answer, capsys):
    setup.check(answer)
    assert "Exercise 0.1 is right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (stub, "not written yet"),
        (lambda x, x_adv: 255 * (x_adv - x).abs().amax((1, 2, 3)), "grey levels"),
        (lambda x, x_adv: (x_adv - x).amax((1, 2, 3)), "one direction"),
        (lambda x, x_adv: (x - x_adv).amax((1, 2, 3)), "one direction"),
        (lambda x, x_adv: (x_adv - x).abs().mean((1, 2, 3)), "mean change"),
        (lambda x, x_adv: (x_adv - x).flatten(1).norm(dim=1), "Euclidean"),
        (lambda x, x_adv: (x_adv - x).abs().max().expand(len(x)), "whole batch"),
        (lambda x, x_adv: (x_adv - x).abs().max(), "has shape"),
        (lambda x, x_adv: (x_adv - x).abs().flatten(1).median(1).values, "you return"),
    ],
)
def test_a_wrong_answer_gets_a_sentence_that_names_the_mistake(answer, sentence):
    with pytest.raises(Mistake, match=sentence):
        setup.check(answer)
