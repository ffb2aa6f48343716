"""Flags: raised by models built to deserve them, and by no honest one."""

import pytest
import torch
from torch import nn

from seminar_lib.attacks.flags import answers_at_random, blind_share, differentiates_inside
from seminar_lib.goals import Misclassify
from seminar_lib.losses import margin


def test_an_honest_model_raises_none(tiny, x, y):
    goal = Misclassify(tiny.eval().requires_grad_(False), y)
    assert not answers_at_random(goal, x)
    assert not differentiates_inside(goal, x)
    assert blind_share(goal, x) == 0


@pytest.mark.parametrize("size", [1e-2, 1.0])
def test_noise_in_the_answer_is_seen(size, tiny, x, y):
    assert answers_at_random(Misclassify(lambda x: tiny(x) + size * torch.randn(len(x), 5), y), x)


def test_rounding_in_the_answer_is_no_noise(tiny, x, y):
    """A GPU may add up in another order each time."""
    assert not answers_at_random(Misclassify(lambda x: tiny(x) + 1e-7 * torch.randn(len(x), 5), y), x)


def test_a_model_that_optimises_while_it_answers_is_seen(tiny, x, y):
    def walks_downhill_first(x):
        with torch.enable_grad():
            moved = x.detach().requires_grad_()
            (grad,) = torch.autograd.grad(tiny(moved).logsumexp(1).sum(), moved)
        return tiny(x - 0.01 * grad)

    assert differentiates_inside(Misclassify(walks_downhill_first, y), x)


def test_the_blind_share_is_the_share_of_saturated_images(tiny, x, y):
    """From a lead of 104 on, exp(-lead) is zero in float32, and so is the gradient of the cross-entropy."""

    def certain_of_three(x):
        lead = torch.zeros(len(x), 5)
        lead[:3] = 1000.0 * nn.functional.one_hot(y[:3], 5)
        return tiny(x) + lead

    for loss in (None, margin):  # whatever the attack climbs, it is the cross-entropy that is looked at
        goal = Misclassify(certain_of_three, y) if loss is None else Misclassify(certain_of_three, y, loss)
        assert blind_share(goal, x) == 3 / 8


def test_a_model_without_gradients_gets_a_sentence(tiny, x, y):
    with pytest.raises(ValueError, match="The loss has no gradient with respect to the image"):
        blind_share(Misclassify(lambda x: tiny(x.detach()), y), x)
