"""Attacks that must coincide, and counts and gradients that must agree with a computation by hand."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.attacks import FGSM, FMN, PGD, AutoAttack, Transfer, worst_case
from seminar_lib.goals import Diverge, Expectation, Misclassify, Recorded
from seminar_lib.threat import L2, Linf

THREATS = [Linf(4 / 255), L2(0.3)]


def input_gradient(model, x, y):
    x = x.detach().clone().requires_grad_()
    F.cross_entropy(model(x), y, reduction="sum").backward()
    return x.grad


@pytest.mark.parametrize("threat", THREATS, ids=repr)
def test_one_full_step_of_pgd_from_the_clean_image_is_fgsm(threat, tiny, x, y):
    one_step = PGD(threat, steps=1, step_size=threat.eps, random_start=False, stop_when_fooled=False)
    fgsm = FGSM(threat, stop_when_fooled=False)
    torch.testing.assert_close(one_step(tiny, x, y), fgsm(tiny, x, y), rtol=0, atol=1e-6)


def test_fgsm_is_the_formula_of_its_paper(tiny, x, y):
    x_adv = FGSM(Linf(4 / 255)).search(Misclassify(tiny, y), x)
    expected = (x + 4 / 255 * input_gradient(tiny, x, y).sign()).clamp(0, 1)
    torch.testing.assert_close(x_adv, expected)


@pytest.mark.parametrize("momentum", [0.0, 1.0])
def test_pgd_in_linf_is_the_loop_of_its_paper(momentum, tiny, x, y):
    """Madry et al., section 2.1; with momentum MI-FGSM of Dong et al., algorithm 1. The best image is kept."""
    eps, step_size = 4 / 255, 1 / 255
    x_adv, velocity = x.clone(), torch.zeros_like(x)
    best, best_loss = x.clone(), torch.full((len(x),), -torch.inf)
    best_fooled = torch.zeros(len(x), dtype=torch.bool)
    for _ in range(6):
        for i, (logits, label) in enumerate(zip(tiny(x_adv), y, strict=True)):
            loss, fooled = F.cross_entropy(logits, label), logits.argmax() != label
            if (fooled, loss) > (best_fooled[i], best_loss[i]):
                best[i], best_loss[i], best_fooled[i] = x_adv[i], loss, fooled
        grad = input_gradient(tiny, x_adv, y)
        velocity = momentum * velocity + grad / grad.abs().sum((1, 2, 3), keepdim=True)
        x_adv = torch.min(torch.max(x_adv + step_size * velocity.sign(), x - eps), x + eps).clamp(0, 1)
    attack = PGD(Linf(eps), steps=5, step_size=step_size, momentum=momentum, random_start=False, stop_when_fooled=False)
    torch.testing.assert_close(attack.search(Misclassify(tiny, y), x), best)


def test_pgd_in_l2_is_the_naive_loop(tiny, x, y):
    x_adv = x.clone()
    for _ in range(3):
        grad = input_gradient(tiny, x_adv, y)
        for i in range(len(x)):
            delta = x_adv[i] + 0.2 * grad[i] / grad[i].norm() - x[i]
            x_adv[i] = (x[i] + delta * min(1, 0.3 / delta.norm())).clamp(0, 1)
    attack = PGD(L2(0.3), steps=3, step_size=0.2, random_start=False, stop_when_fooled=False)
    goal = Recorded(Misclassify(tiny, y), torch.arange(len(x)))
    attack.search(goal, x)
    torch.testing.assert_close(goal.looks[-1].x, x_adv)


def test_expectation_of_one_sample_is_the_plain_attack(tiny, x, y):
    attack, goal = PGD(Linf(3 / 255), random_start=False), Misclassify(tiny, y)
    assert torch.equal(attack.run(Expectation(goal, 1), x), attack.run(goal, x))


def test_stopping_early_saves_time_and_costs_no_success(tiny, x, y):
    patient, hasty = (PGD(Linf(3 / 255), random_start=False, stop_when_fooled=stop) for stop in (False, True))
    goals = [Recorded(Misclassify(tiny, y), torch.arange(len(x))) for _ in range(2)]
    fooled = [tiny(a.run(goal, x)).argmax(1) != y for a, goal in zip((patient, hasty), goals, strict=True)]
    assert torch.equal(*fooled)
    assert goals[1].forwards < goals[0].forwards


def test_more_restarts_fool_at_least_as_many(tiny, x, y):
    once, often = (PGD(L2(0.1), steps=2, restarts=restarts) for restarts in (1, 10))
    fooled = [tiny(a(tiny, x, y, generator=torch.Generator().manual_seed(0))).argmax(1) != y for a in (once, often)]
    assert (fooled[1] >= fooled[0]).all()


@pytest.mark.parametrize("threat", THREATS, ids=repr)
@pytest.mark.parametrize("falls_at", [0, 1], ids=["at its start", "at its end"])
def test_walks_after_everything_has_fallen_are_skipped(falls_at, threat, tiny, x, y):
    """All examples fall in the first walk, where it begins or where it ends, and the others are not walked."""
    turn = iter(range(99))

    def model(images):
        return tiny(images) + 1e3 * F.one_hot((y + (next(turn) >= falls_at)) % 5, 5)

    goal = Recorded(Misclassify(model, y), torch.arange(len(x)))
    PGD(threat, steps=1, restarts=3).search(goal, x)
    assert goal.forwards == (falls_at + 1) * len(x)


def test_a_search_looks_as_often_as_its_settings_say(tiny, x, y):
    attack = PGD(Linf(3 / 255), steps=4, restarts=3, stop_when_fooled=False)
    goal = Recorded(Misclassify(tiny, y), torch.arange(len(x)))
    attack.search(goal, x)
    assert goal.backwards == 3 * 4 * len(x)
    assert goal.forwards == 3 * (4 + 1) * len(x)  # and one look at the end of each walk
    goal = Recorded(Misclassify(tiny, y), torch.arange(len(x)))
    FGSM(stop_when_fooled=False).run(goal, x)
    assert goal.backwards == len(x)
    assert goal.forwards == 3 * len(x)  # the gradient, and the verdicts on the clean and on the returned image


def test_an_example_that_has_fallen_is_looked_at_no_more(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(len(x)))
    PGD(Linf(3 / 255), random_start=False).search(goal, x)
    fallen: set[int] = set()
    for look in goal.looks:
        assert fallen.isdisjoint(look.rows.tolist())
        fallen |= set(look.rows[look.score.success].tolist())
    assert fallen


def test_recorded_gradient_norms_are_those_of_autograd(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(len(x)))
    PGD(Linf(3 / 255), steps=3).run(goal, x)
    walk = [look for look in goal.looks if look.grad_norm is not None]
    assert len(walk) == 3
    for look in walk:
        grad = input_gradient(tiny, look.x, y[look.rows])
        torch.testing.assert_close(look.grad_norm, grad.flatten(1).norm(dim=1))
        torch.testing.assert_close(look.score.loss, F.cross_entropy(tiny(look.x), y[look.rows], reduction="none"))


def test_recording_changes_nothing(tiny, x, y):
    attack, goal = PGD(L2(0.2), random_start=False), Misclassify(tiny, y)
    assert torch.equal(attack.run(Recorded(goal, torch.arange(len(x))), x), attack.run(goal, x))


def test_a_scaled_attack_is_the_same_in_a_smaller_ball():
    attack = PGD(Linf(8 / 255), steps=3, step_size=2 / 255, stop_when_fooled=False)
    assert attack.scaled(0.25) == PGD(Linf(2 / 255), steps=3, step_size=0.5 / 255, stop_when_fooled=False)
    assert PGD(L2(0.5)).scaled(2.0) == PGD(L2(1.0))  # a step size that was left open stays open
    assert FGSM(Linf(8 / 255)).scaled(0.5) == FGSM(Linf(4 / 255))
    assert FMN(L2(1.0), step_size=0.5).scaled(0.5) == FMN(L2(0.5), step_size=0.5)  # it walks as far for any radius


def test_steps_print_in_grey_levels_where_the_radius_does():
    printed = {
        PGD(Linf(8 / 255), step_size=2 / 255): "PGD(Linf(8/255), step_size=2/255)",
        PGD(L2(0.5), step_size=1.0): "PGD(L2(0.5), step_size=1)",
        FMN(Linf(8 / 255), step_size=2.0): "FMN(Linf(8/255), step_size=2.0)",  # a Euclidean length
    }
    for attack, code in printed.items():
        assert repr(attack) == code
        assert eval(code) == attack


def test_attacks_inside_an_attack_are_scaled_with_their_steps(tiny):
    large, small = (PGD(Linf(eps / 255), steps=3, step_size=step / 255) for eps, step in ((8, 2), (2, 0.5)))
    nested = worst_case([FGSM(Linf(8 / 255)), Transfer(large, tiny)])
    assert nested.scaled(0.25) == worst_case([FGSM(Linf(2 / 255)), Transfer(small, tiny)])
    assert replace(nested, samples=3).scaled(0.25).samples == 3
    assert AutoAttack(L2(0.5), "plus").scaled(0.5) == AutoAttack(L2(0.25), "plus")


def test_any_goal_can_be_searched(tiny, x):
    """PGD on the inner goal of TRADES needs no labels and moves the prediction further than noise does."""
    goal = Diverge(tiny, tiny(x).detach())
    x_adv = PGD(Linf(4 / 255), stop_when_fooled=False).run(goal, x)
    assert (goal(x_adv).loss > 3 * goal(Linf(4 / 255).random_start(x)).loss).all()
