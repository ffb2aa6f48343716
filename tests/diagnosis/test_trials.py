"""Attacks beside the one that is judged: an alarm where they find more, and none where they prove nothing."""

import pytest

from seminar_lib import load
from seminar_lib.attacks import APGD
from seminar_lib.diagnosis import ALARM, OK, OPEN, diagnose
from seminar_lib.masking import DEFENCES, ROUNDING
from seminar_lib.threat import L1, L2, Linf, ThreatModel

from .conftest import QUICK, verdicts


def test_noise_that_finds_what_the_attack_does_not_is_an_alarm(tiny, x, y):
    """A model with a flat spot at each clean image, as wide as the attack needs to be blind."""

    def rounded(x):
        return tiny((x * 10).round() / 10)

    diagnosis = diagnose(rounded, x, y, threat=Linf(0.3), steps=2, queries=50)
    assert diagnosis["slope"].value == "zero for 100%"
    assert ROUNDING in diagnosis.tricks
    assert diagnosis["unbounded"].verdict == ALARM


def test_a_surrogate_that_is_the_model_itself_transfers_without_loss(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, surrogate=tiny, **QUICK)
    assert diagnosis["transfer"].verdict == diagnosis["transfer failure"].verdict == OK
    assert diagnosis["transfer failure"].value.startswith("0 of ")


@pytest.mark.slow
def test_the_undefended_twin_fools_a_masked_model(signs):
    model, _ = load("signs/standard")
    defended = DEFENCES["quantise"].build(model)
    diagnosis = diagnose(defended, signs.x, signs.y, steps=12, queries=5, surrogate=model)
    assert diagnosis["transfer"].verdict == ALARM


@pytest.mark.slow
def test_a_surrogate_that_has_nothing_to_do_with_the_model_raises_no_alarm(signs):
    """What fools the standard model leaves the robust one standing: the surrogate proves nothing, for or against."""
    robust, standard = load("signs/pgd_at")[0], load("signs/standard")[0]
    diagnosis = diagnose(robust, signs.x, signs.y, steps=12, queries=5, surrogate=standard)
    assert diagnosis["transfer"].verdict == OK
    assert diagnosis["transfer failure"].verdict == OPEN


def test_without_a_surrogate_transfer_is_left_open(tiny, x, y):
    found = verdicts(diagnose(tiny, x, y, **QUICK))
    assert found["transfer"] == found["transfer failure"] == OPEN


@pytest.mark.parametrize("threat", [L2(0.2), L1(2.0)], ids=repr)
def test_it_works_in_another_ball(tiny, x, y, threat):
    diagnosis = diagnose(tiny, x, y, threat=threat, steps=5, queries=20)
    assert diagnosis.attack == APGD(threat, steps=5)
    assert verdicts(diagnosis)["black box"] == OK


def test_without_squares_the_black_box_is_left_open(tiny, x, y):
    class Ball(ThreatModel):
        norm, steepest, shrink, noise = Linf.norm, Linf.steepest, Linf.shrink, Linf.noise

    check = diagnose(tiny, x, y, threat=Ball(4 / 255), steps=5, queries=20)["black box"]
    assert check.verdict == OPEN
    assert check.meaning.startswith("Square knows how to fill a square for Linf, L2 and L1; got Ball(")
