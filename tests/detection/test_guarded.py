"""A classifier with its detector: when it rejects, and the goal that evades it."""

from math import nan

import pytest
import torch

from seminar_lib.detection import REJECT, FeatureSqueezing, Guarded, Mahalanobis
from seminar_lib.masking import Quantise


@pytest.fixture
def guarded(tiny, x) -> Guarded:
    """Half of the images are accepted."""
    detector = FeatureSqueezing(tiny, (Quantise(2),))
    return Guarded(tiny, detector, float(detector.scores(x).median()))


def test_it_answers_as_the_classifier_or_not_at_all(guarded, tiny, x):
    answers, suspicious = guarded.predict(x), guarded.detector.scores(x) > guarded.threshold
    assert 0 < suspicious.sum() < 8
    assert torch.equal(answers, torch.where(suspicious, REJECT, tiny(x).argmax(1)))
    assert torch.equal(guarded.answers(x), tiny(x).argmax(1))


def test_evading_means_to_be_wrong_and_accepted(guarded, x, y):
    y = torch.where(torch.arange(8) % 2 == 0, y, (y + 1) % 5)
    won = guarded.evade(y)(x).success
    predicted = guarded.predict(x)
    assert torch.equal(won, (predicted != y) & (predicted != REJECT))
    assert won.any()
    assert not won.all()


def test_the_weight_weighs_the_score(guarded, x, y):
    one, three = (guarded.evade(y, weight=weight)(x).loss for weight in (1.0, 3.0))
    torch.testing.assert_close(three - one, 2 * (guarded.threshold - guarded.detector.scores(x)))


def test_the_goal_has_a_slope_through_the_quantiser(guarded, x, y):
    x = x.requires_grad_()
    (slope,) = torch.autograd.grad(guarded.evade(y).second(x).loss.sum(), x)
    assert slope.any()


REFUSED = {
    "a kind of detector": (
        lambda m: Guarded(m, Mahalanobis, 1.0),
        "Guarded needs a fitted detector, such as Mahalanobis.fit(model, data); got <class",
    ),
    "a network": (lambda m: Guarded(m, m, 1.0), "such as Mahalanobis.fit(model, data); got Classifier"),
    "no threshold": (lambda m: Guarded(m, FeatureSqueezing(m), nan), "a finite threshold; got nan. Take detector.thr"),
    "bright images": (
        lambda m: Guarded(m, FeatureSqueezing(m), 1.0).predict(255 * torch.rand(2, 3, 8, 8)),
        "Divide by 255",
    ),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("as_users_call_it")
def test_bad_input_is_refused_in_a_sentence(call, words, tiny):
    with pytest.raises((TypeError, ValueError)) as caught:
        call(tiny)
    assert words in str(caught.value)
