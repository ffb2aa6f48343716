"""A diagnosis: no alarm at honest models, the trick named at broken ones, each check by its own definition."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seminar_lib import load, load_data
from seminar_lib.attacks import APGD
from seminar_lib.diagnosis import ALARM, OK, OPEN, Diagnosis, diagnose
from seminar_lib.evaluation import Accuracy
from seminar_lib.goals import Misclassify
from seminar_lib.masking import CHANCE, CUT, DEFENCES, INNER_LOOP, ROUNDING, SATURATION, Noise
from seminar_lib.threat import L2, Linf

QUICK = {"threat": Linf(4 / 255), "steps": 5, "queries": 20}


@pytest.fixture(scope="module")
def signs():
    return load_data("signs").test.sample(32)


def verdicts(diagnosis: Diagnosis) -> dict[str, str]:
    return {check.name: check.verdict for check in diagnosis.checks}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["signs/standard", "signs/pgd_at"])
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


def test_only_images_that_the_model_gets_right_are_looked_at(tiny, x, y):
    assert diagnose(tiny, x, y, **QUICK).n == 7
    with pytest.raises(ValueError, match="The model gets none of the 8 images right"):
        diagnose(tiny, x, (tiny(x).argmax(1) + 1) % 5, **QUICK)


def test_an_alarm_takes_more_images_than_luck_would():
    """The count of 64 images that the constants' comment names, from the interval itself."""
    counts = [k for k in range(65) if Accuracy.of(torch.arange(64) < k).low > 0.05]
    assert counts[0] == 7


def test_it_works_in_another_ball(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, threat=L2(0.2), steps=5, queries=20)
    assert diagnosis.attack == APGD(L2(0.2), steps=5)
    assert verdicts(diagnosis)["black box"] == OK


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


def test_the_table_shows_every_check(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, **QUICK)
    table = diagnosis._repr_markdown_()
    for check in diagnosis.checks:
        assert f"| {check.name} | {check.value} | " in table
        assert check.meaning in table
        assert check.meaning in str(diagnosis)
        assert check.source
    assert diagnosis["slope"] in diagnosis.checks
    with pytest.raises(KeyError, match="There is no check 'slopes'; the checks are gradient, randomness"):
        diagnosis["slopes"]


def test_alarms_without_a_known_trick_are_not_called_honest(tiny, x, y):
    diagnosis = diagnose(tiny, x, y, **QUICK)
    blamed = replace(diagnosis["black box"], verdict=ALARM)
    suspicious = replace(diagnosis, checks=(*diagnosis.checks[:-1], blamed))
    assert suspicious.alarms == (blamed,)
    assert "no known trick was recognised" in suspicious.summary
    assert "ALARM" in str(suspicious)
