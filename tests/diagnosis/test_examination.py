"""A diagnosis as a whole: no alarm at honest models, the trick named at broken ones, and no trace left behind."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from seminar_lib import load
from seminar_lib.diagnosis import diagnose
from seminar_lib.goals import Misclassify
from seminar_lib.masking import CHANCE, DEFENCES, Noise

from .conftest import QUICK


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"signs/{name}" for name in ("standard", "pgd_at", "anchor", "clead", "lisard")])
def test_an_honest_model_raises_no_alarm(name, signs):
    diagnosis = diagnose(load(name)[0], signs.x, signs.y, queries=100)
    assert diagnosis.alarms == diagnosis.tricks == ()
    assert "No alarm" in str(diagnosis)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFENCES)
def test_the_trick_of_a_broken_defence_is_named(name, signs):
    planted = DEFENCES[name]
    defended = planted.build(load("signs/standard")[0])
    diagnosis = diagnose(defended, signs.x, signs.y, steps=12, queries=50)
    assert diagnosis.tricks == (planted.trick,)
    assert f"Suspect: {planted.trick.name}. {planted.trick.remedy}" in str(diagnosis)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quantise", "jpeg", "k winners", "ripple"])
def test_an_opened_defence_is_not_suspected_any_more(name, signs):
    planted = DEFENCES[name]
    goal = planted.adaptive(planted.build(load("signs/standard")[0]), signs.y)
    assert isinstance(goal, Misclassify)
    assert diagnose(goal.model, signs.x, signs.y, steps=12, queries=50).tricks == ()


def test_only_images_that_the_model_gets_right_are_looked_at(tiny, x, y):
    assert diagnose(tiny, x, y, **QUICK).n == 7
    with pytest.raises(ValueError, match="The model gets none of the 8 images right"):
        diagnose(tiny, x, (tiny(x).argmax(1) + 1) % 5, **QUICK)


def test_the_same_seed_gives_the_same_diagnosis_and_the_callers_random_numbers_are_left_alone(tiny, x, y):
    defended = nn.Sequential(Noise(0.2), tiny)
    state = torch.get_rng_state()
    first, second = (diagnose(defended, x, y, seed=3, **QUICK) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first == second
    assert CHANCE in first.tricks


def test_the_model_is_left_as_it_was(tiny, x, y):
    tiny.train()
    before = deepcopy(tiny)
    with torch.inference_mode():
        diagnose(tiny, x, y, surrogate=tiny, **QUICK)
    assert tiny.training
    assert all(torch.equal(a, b) for a, b in zip(tiny.state_dict().values(), before.state_dict().values(), strict=True))
    assert all(parameter.grad is None and parameter.requires_grad for parameter in tiny.parameters())


def test_probabilities_are_refused(tiny, x, y):
    with pytest.raises(ValueError, match="The model returns probabilities"):
        diagnose(lambda x: tiny(x).softmax(1), x, y)
