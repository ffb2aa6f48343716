"""The worst of several attacks: who fools whom, in which order, and what it costs."""

import re

import pytest
import torch

from seminar_lib.attacks import FGSM, PGD
from seminar_lib.attacks.ensemble import STANDING, WRONG_BEFORE, WorstCase, worst_case
from seminar_lib.goals import Expectation, Misclassify, Recorded
from seminar_lib.losses import cross_entropy, margin
from seminar_lib.threat import L2, Linf

THREAT = Linf(3 / 255)
WEAK, STRONG = FGSM(Linf(3 / 255)), PGD(THREAT, steps=20, random_start=False, loss=margin)


def fooled(model, x, y):
    return model(x).argmax(1) != y


def test_it_fools_exactly_what_one_of_its_members_fools(tiny, x, y):
    members = (WEAK, PGD(THREAT, steps=2, random_start=False), STRONG)
    alone = torch.stack([fooled(tiny, member(tiny, x, y), y) for member in members])
    assert torch.equal(fooled(tiny, worst_case(members)(tiny, x, y), y), alone.any(0))


def test_the_cascade_names_the_first_member_that_fooled_an_image(tiny, x, y):
    weak, strong = (fooled(tiny, member(tiny, x, y), y) for member in (WEAK, STRONG))
    expected = torch.full((8,), STANDING)
    expected[strong] = 1
    expected[weak] = 0
    expected[fooled(tiny, x, y)] = WRONG_BEFORE
    x_adv, by = worst_case((WEAK, STRONG)).cascade(tiny, x, y)
    assert torch.equal(by, expected)
    assert {WRONG_BEFORE, 0, STANDING} <= set(by.tolist())
    assert torch.equal(by != STANDING, fooled(tiny, x_adv, y))


def test_a_member_sees_only_the_survivors(tiny, x, y):
    survivors = int((~fooled(tiny, WEAK(tiny, x, y), y)).sum())
    assert 0 < survivors < 7
    alone = Recorded(Misclassify(tiny, y), torch.arange(8))
    WEAK.run(alone, x)
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    worst_case((WEAK, FGSM(THREAT, loss=margin))).run(goal, x)
    assert goal.backwards == alone.backwards + survivors


def test_each_member_climbs_its_own_loss(tiny, x, y):
    seen = []

    class Spy(FGSM):
        def search(self, goal, x, generator=None):
            seen.append(goal(x).loss)
            return x

    members = (Spy(THREAT, loss=margin), Spy(THREAT))
    worst_case(members)(tiny, x, y)
    stands = ~fooled(tiny, x, y)
    logits, labels = tiny(x)[stands], y[stands]
    torch.testing.assert_close(seen[0], margin(logits, labels))
    torch.testing.assert_close(seen[1], cross_entropy(logits, labels))


def test_it_ends_when_nobody_stands(tiny, x, y):
    class Never(FGSM):
        def search(self, goal, x, generator=None):
            raise AssertionError("nobody is left to attack")

    everything = PGD(Linf(1), steps=30, random_start=False)
    assert fooled(tiny, WorstCase(Linf(1), (everything, Never(Linf(1))))(tiny, x, y), y).all()


def test_the_parts_of_an_attack_are_what_runs():
    inner = worst_case((WEAK, FGSM(THREAT)))
    assert WEAK.parts == (WEAK,)
    assert inner.parts == (WEAK, FGSM(THREAT))
    assert worst_case((inner, WEAK)).parts == (WEAK, FGSM(THREAT), WEAK)


def test_several_samples_are_an_expectation(tiny, x, y):
    goal = Recorded(Misclassify(tiny, y), torch.arange(8))
    WorstCase(THREAT, (WEAK,), samples=3).run(goal, x)
    once = Recorded(Misclassify(tiny, y), torch.arange(8))
    WEAK.run(once, x)
    assert goal.backwards == 3 * once.backwards
    plain = WEAK.run(Expectation(Misclassify(tiny, y), 3), x)
    torch.testing.assert_close(WorstCase(THREAT, (WEAK,), samples=3)(tiny, x, y), plain)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: worst_case(()), "at least one attack; got none"),
        (lambda: worst_case((FGSM(THREAT), FGSM(L2(1)))), "FGSM(L2(1)) does not"),
        (lambda: WorstCase(THREAT, (WEAK,), samples=0), "at least one sample; got 0"),
    ],
)
def test_an_ensemble_that_means_nothing_is_refused(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()


def test_another_threat_model_reaches_every_member(tiny, x, y):
    wider = Linf(6 / 255)
    expected = worst_case((FGSM(wider), PGD(wider, steps=20, random_start=False, loss=margin)))
    assert worst_case((WEAK, STRONG)).within(wider) == expected
