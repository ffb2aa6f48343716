"""Kernel density: scikit-learn's density of the class that the network names, and its likeliest bandwidth."""

import math

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, LeaveOneOut
from sklearn.neighbors import KernelDensity as Reference

from seminar_lib.detection import KernelDensity
from seminar_lib.detection.density import likeliest_bandwidth


def test_the_score_is_the_density_of_scikit_learn_up_to_a_constant(tiny, task, x):
    detector = KernelDensity.fit(tiny, task, bandwidth=0.8)
    train = task.train.sample(200)
    with torch.no_grad():
        z, z_train, named = tiny.embed(x), tiny.embed(train.x), tiny(x).argmax(1)
    constant = 64 / 2 * math.log(2 * math.pi * 0.8**2)
    for one, label, score in zip(z, named, detector.scores(x), strict=True):
        reference = Reference(bandwidth=0.8).fit(z_train[train.y == label].double().numpy())
        expected = -float(reference.score_samples(one.double().numpy()[None])[0]) - constant
        assert float(score) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_the_bandwidth_is_the_likeliest_for_images_left_out():
    """One class, so that scikit-learn can search over the same question."""
    z = torch.randn(60, 3) * 0.5
    found = likeliest_bandwidth(z, torch.zeros(60, dtype=torch.long))
    grid = [found * factor for factor in (1 / 1.2**2, 1 / 1.2, 1, 1.2, 1.2**2)]
    search = GridSearchCV(Reference(), {"bandwidth": grid}, cv=LeaveOneOut()).fit(z.double().numpy())
    assert search.best_params_["bandwidth"] == found


def test_each_class_is_measured_among_its_own():
    """Two classes on top of each other have the bandwidth of one of them, not of both together."""
    z = torch.randn(40, 3)
    y = torch.zeros(40, dtype=torch.long)
    assert likeliest_bandwidth(z.repeat(2, 1), torch.cat([y, y + 1])) == pytest.approx(likeliest_bandwidth(z, y))


def test_a_far_image_still_has_a_slope(tiny, task):
    """The density itself is zero there in float32."""
    detector = KernelDensity.fit(tiny, task, bandwidth=0.01)
    x = task.test.x.clone().requires_grad_()
    score = detector.score(x)
    assert np.exp(-score.detach().double().numpy()).astype(np.float32).max() == 0
    (slope,) = torch.autograd.grad(score.sum(), x)
    assert slope.flatten(1).any(1).all()


def test_a_collapsed_embedding_is_refused():
    with pytest.raises(ValueError, match="Has the network collapsed"):
        likeliest_bandwidth(torch.ones(6, 2), torch.tensor([0, 1] * 3))
