"""What lesson 11's demo counts: at every threshold what the library's own attack and report find there."""

import pytest
import torch

from seminar_lib import PGD, Guarded, Linf, OrthogonalPGD, evaluate_detector
from seminar_lib.losses import margin
from seminar_lib.widgets.detection.scene import ATTACKS, RADII, RATES, STEPS, Scored, Watch


@pytest.fixture
def some(data):
    """The three images that the model gets right."""
    return data[:3]


@pytest.fixture
def watch(model, detectors, validation, some):
    return Watch(model, detectors, validation, some)


def test_the_thresholds_reject_no_more_of_the_validation_images_than_they_say(watch, detectors, validation):
    for detector, thresholds in zip(detectors.values(), watch.thresholds, strict=True):
        scores = detector.scores(validation.x)
        for rate, threshold in zip(RATES, thresholds, strict=True):
            assert (scores > threshold).sum() <= rate * 120 + 1e-6
            assert (scores >= threshold).sum() > rate * 120


def test_one_walk_finds_at_every_threshold_what_the_library_s_attack_finds_there(watch, model, detectors, some):
    """With the same random start; where the attack stops, the score is the same, too."""
    adaptive = ATTACKS.index("adaptive")
    found = []
    for number, detector in enumerate(detectors.values()):
        for rate, threshold in enumerate(watch.thresholds[number]):
            goal = Guarded(model, detector, threshold).evade(some.y, margin)
            attack = OrthogonalPGD(Linf(8 / 255), steps=STEPS, step_size=2 / 255)
            x_adv = attack.run(goal, some.x, torch.Generator().manual_seed(0))
            scored = watch.scored(number, adaptive, 8, rate)
            won = goal(x_adv).success
            assert torch.equal(scored.wrong & ~scored.rejected, won)
            torch.testing.assert_close(scored.scores[won], detector.scores(x_adv)[won], rtol=1e-3, atol=1e-4)
            found.append(won)
    assert torch.cat(found).any()
    assert not torch.cat(found).all()


def test_the_counts_are_those_of_the_report(watch, model, detectors, some):
    detector, oblivious = detectors["contrast"], PGD(Linf(8 / 255), steps=STEPS)
    for rate, threshold in enumerate(watch.thresholds[0]):
        report = evaluate_detector(
            Guarded(model, detector, threshold), some, oblivious, OrthogonalPGD(steps=1), progress=False
        )
        for row in (0, 1):
            scored = watch.scored(0, row, 8, rate)
            assert torch.equal(scored.rejected, report.rejected(ATTACKS[row] if row else "clean"))
            assert scored.served == report.served("oblivious" if row else "clean").sum()
            assert scored.safe == report.safe("oblivious" if row else "clean").sum()


def test_every_image_counts_in_its_column():
    scored = Scored(torch.tensor([1.0, 2, 3, 4]), torch.tensor([False, True, True, False]), 2.0)
    assert scored.rejected.tolist() == [False, False, True, True]
    assert (scored.served, scored.caught, scored.safe) == (1, 1, 3)


def test_an_image_that_is_misread_without_an_attack_has_won_where_it_is_accepted(model, detectors, validation, data):
    watch = Watch(model, detectors, validation, data)
    assert watch.misread.tolist() == [False, False, False, True]
    scores = detectors["contrast"].scores(data.x)
    for rate, threshold in enumerate(watch.thresholds[0]):
        scored = watch.scored(0, 2, 1, rate)
        assert scored.wrong[3]
        if scores[3] <= threshold:
            assert scored.scores[3] == scores[3]


def test_an_attack_is_computed_once_for_all_thresholds(watch, detectors):
    asked = []
    for _ in range(2):
        before = detectors["contrast"].calls
        for attack in range(len(ATTACKS)):
            for eps in RADII:
                for rate in range(len(RATES)):
                    watch.scored(0, attack, eps, rate)
        asked.append(detectors["contrast"].calls - before)
    assert asked[0] > 0
    assert asked[1] == 0
