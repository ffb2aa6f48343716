"""Looks at models with one fault each: the check that it is for finds it, by its own definition."""

import numpy as np
import pytest
import torch

from seminar_lib.diagnosis import ALARM, OK, diagnose
from seminar_lib.masking import CUT, INNER_LOOP, SATURATION
from seminar_lib.threat import Linf

from .conftest import QUICK, verdicts


def by_numpy(model):
    return lambda x: model(torch.from_numpy(np.asarray(x.detach())))


def without_gradients(model):
    return torch.no_grad()(lambda x: model(x))


@pytest.mark.parametrize("cut", [by_numpy, without_gradients])
def test_a_forward_pass_that_cuts_the_gradient_gets_a_sentence_that_names_bpda(cut, tiny, x, y):
    diagnosis = diagnose(cut(tiny), x, y, **QUICK)
    check = diagnosis["gradient"]
    assert check.verdict == ALARM
    assert "cuts the gradient" in check.meaning
    assert "BPDA" in check.meaning
    assert diagnosis.tricks == (CUT,)
    assert "one step" not in verdicts(diagnosis)  # nothing that needs a gradient was tried


@pytest.mark.parametrize("attached", [False, True], ids=["constant", "with parameters"])
def test_logits_that_do_not_depend_on_the_image_get_a_sentence_that_names_bpda(attached, x, y):
    logits = torch.arange(5.0, requires_grad=attached)
    y = torch.full_like(y, 4)
    diagnosis = diagnose(lambda x: logits.expand(len(x), 5), x, y, **QUICK)
    assert "The logits do not depend on the image" in diagnosis["gradient"].meaning
    assert "BPDA" in diagnosis["gradient"].meaning
    assert diagnosis.tricks == (CUT,)


def test_a_gradient_that_is_not_finite_is_an_alarm(tiny, x, y):
    """The root of zero has no slope: sqrt(u)^2 is u, and its gradient there infinity times zero."""
    diagnosis = diagnose(lambda x: tiny((x - x.detach()).abs().sqrt().square() + x), x, y, **QUICK)
    assert diagnosis["gradient"].value == "not finite"
    assert diagnosis.tricks == (CUT,)


def test_a_model_that_optimises_while_it_answers_is_recognised(tiny, x, y):
    def downhill_first(x):
        with torch.enable_grad():
            moved = x.detach().requires_grad_()
            (grad,) = torch.autograd.grad(tiny(moved).logsumexp(1).sum(), moved)
        return tiny(x - 1e-4 * grad)

    assert diagnose(downhill_first, x, y, **QUICK).tricks == (INNER_LOOP,)


def test_saturation_of_some_images_is_counted(tiny, x, y):
    """From a lead of 104 on, exp(-lead) is zero in float32; the fixture gets the first of eight images wrong."""

    def certain(x):
        return torch.cat([tiny(x[:4]), 1e4 * tiny(x[4:])]) if len(x) == 7 else tiny(x)

    diagnosis = diagnose(certain, x[1:], y[1:], **QUICK)
    assert diagnosis["saturation"].value == "zero for 43%"
    assert diagnosis.tricks == (SATURATION,)


def test_a_model_that_lies_about_its_slope_breaks_every_promise(tiny, x, y):
    class Reversed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return -grad

    diagnosis = diagnose(lambda x: tiny(Reversed.apply(x)), x, y, **QUICK)
    assert diagnosis["kept promise"].value.startswith("7 of 7 break it")
    assert diagnosis["one step"].verdict == OK  # one step in the wrong direction is no better than many


def test_of_a_linear_model_every_promise_is_kept_to_the_letter(oracle):
    diagnosis = diagnose(oracle.model, oracle.x, oracle.y, threat=Linf(0.02), steps=5, queries=20)
    assert diagnosis["kept promise"].value == "0 of 16 break it (median 1.00 kept)"
