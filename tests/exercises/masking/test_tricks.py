"""Exercise 12.3 accepts the right tricks and says what is wrong with each typical wrong one."""

import pytest

import seminar_lib as sl
from seminar_lib.exercises import masking
from seminar_lib.exercises.masking.tricks import HIDDEN
from seminar_lib.masking import DEFENCES

from ..conftest import refuses

TRUE = {"A": "saturated softmax", "B": "random answers", "C": "shattered gradient"}


def test_the_right_tricks_are_praised_with_their_remedies(capsys):
    masking.check_tricks(lambda: dict(TRUE))
    said = capsys.readouterr().out
    assert all(DEFENCES[name].trick.remedy in said for name in HIDDEN.values())


test_a_wrong_trick_gets_its_sentence = refuses(
    masking.check_tricks,
    (lambda: None, "return a dictionary"),
    (lambda: {"A": "saturated softmax"}, "with the keys A, B, C"),
    (lambda: TRUE | {"B": "chance"}, "B: 'chance' is not on the list"),
    (lambda: TRUE | {"A": "nothing hidden"}, "A is no case of 'nothing hidden'"),
    (lambda: TRUE | {"A": "step without slope"}, "`slope` would find"),
    (lambda: TRUE | {"B": "saturated softmax"}, "`saturation` would raise"),
    (lambda: TRUE | {"C": "random answers"}, "they agree"),
    (lambda: TRUE | {"A": "shattered gradient"}, "`kept promise` would raise"),
)


@pytest.mark.slow
def test_the_diagnoses_show_what_the_sentences_say():
    """What is said against each wrong trick holds of every defence to which it is said."""
    data = sl.load_data("signs").test.sample(32)
    for letter, defence in masking.unlabelled(sl.load("signs/standard")[0]).items():
        found = sl.diagnose(defence, data.x, data.y, steps=20, queries=50)
        assert found.tricks[0].name == TRUE[letter]
        alarms = {
            "step without slope": found["slope"],
            "saturated softmax": found["saturation"],
            "random answers": found["randomness"],
            "shattered gradient": found["kept promise"],
        }
        for trick, check in alarms.items():
            assert (check.verdict == "alarm") == (trick == TRUE[letter])


def test_an_unlabelled_defence_does_not_tell_its_name(tiny, x):
    for letter, defence in masking.unlabelled(tiny).items():
        assert repr(defence) == f"Defence {letter}"
        assert defence(x).shape == tiny(x).shape
