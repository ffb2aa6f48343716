"""The learned detector: as good as a line where that is best, better where it is not, and repeatable."""

import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from seminar_lib.attacks import FGSM
from seminar_lib.detection import LearnedDetector
from seminar_lib.detection.learned import learn
from seminar_lib.threat import Linf

ATTACK = FGSM(Linf(0.2), stop_when_fooled=False)


def test_it_tells_two_clouds_apart_as_well_as_the_optimal_line():
    attacked = torch.arange(1000) % 2 == 1
    shift = torch.tensor([1.0, -0.5, 0.0, 0.0])
    z, z_new = (torch.randn(1000, 4) + shift * attacked[:, None] for _ in range(2))
    line = LinearDiscriminantAnalysis().fit(z.numpy(), attacked.numpy())
    best = roc_auc_score(attacked.numpy(), line.decision_function(z_new.numpy()))
    ours = roc_auc_score(attacked.numpy(), learn(z, attacked)(z_new).detach().squeeze(1).numpy())
    assert 0.7 < best - 0.03 < ours


def test_it_bends_where_a_line_cannot_do():
    z, z_new = torch.rand(2, 400, 2) * 2 - 1
    scores = learn(z, z.prod(1) > 0)(z_new).detach().squeeze(1)
    assert roc_auc_score((z_new.prod(1) > 0).numpy(), scores.numpy()) > 0.95


def test_the_units_of_the_features_do_not_matter():
    z = torch.randn(100, 3)
    attacked = z[:, 0] > 0.3
    torch.testing.assert_close(learn(1000 * z, attacked)(1000 * z), learn(z, attacked)(z), rtol=0.05, atol=0.05)


def test_images_that_were_attacked_score_higher(tiny, task):
    detector = LearnedDetector.fit(tiny, task, ATTACK)
    data = task.test
    attacked = ATTACK(tiny, data.x, tiny(data.x).argmax(1))
    scores = torch.cat([detector.scores(data.x), detector.scores(attacked)])
    assert roc_auc_score([0] * 20 + [1] * 20, scores.numpy()) > 0.8


def test_the_same_seed_learns_the_same_and_takes_nobodys_random_numbers(tiny, task, x):
    state = torch.get_rng_state()
    first, again, other = (LearnedDetector.fit(tiny, task, ATTACK, seed=seed).scores(x) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_one_kind_alone_is_refused():
    with pytest.raises(ValueError, match="clean from attacked takes both; got 0 attacked of 4"):
        learn(torch.randn(4, 2), torch.zeros(4, dtype=torch.bool))
