"""The votes of lesson 09's demo: exact for a linear model, the fewer among the more, and proved as the library does."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.stats import binom, norm

from seminar_lib import Smoothed, Split
from seminar_lib.smoothing.bounds import largest_radius, lower_bound, radius
from seminar_lib.widgets.smoothing.scene import ALPHA, COPIES, LOOKS, Polls, Proof


@pytest.fixture
def polls(networks, data):
    return Polls(Smoothed(networks[0.4], 0.4), data)


def test_fewer_votes_are_among_more(polls):
    for image in (0, 3):
        votes = [polls.proof(image, looks).votes for looks in LOOKS]
        assert [int(v.sum()) for v in votes] == list(LOOKS)
        assert all((after >= before).all() for before, after in pairwise(votes))


def test_each_copy_is_looked_at_once_whatever_the_order(networks, model, data):
    down, up = (Polls(Smoothed(networks[0.4], 0.4), data) for _ in range(2))
    for looks in reversed(LOOKS):
        down.proof(1, looks)
    calls = model.calls
    for looks in LOOKS:
        down.proof(1, looks)
    assert model.calls == calls
    for looks in LOOKS:
        np.testing.assert_array_equal(up.proof(1, looks).votes, down.proof(1, looks).votes)


def test_votes_of_two_classes_are_as_frequent_as_the_half_space_says():
    """With two classes a linear model is a half-space, and the probability of a side is that of a normal variable."""
    torch.manual_seed(1)
    layer = torch.nn.Linear(192, 2)
    model, images = torch.nn.Sequential(torch.nn.Flatten(), layer), torch.randint(256, (5, 3, 8, 8), dtype=torch.uint8)
    with torch.no_grad():
        direction = layer.weight[1] - layer.weight[0]
        layer.bias -= (model(images / 255)).mean(0)
        lead = (model(images / 255)[:, 1] - model(images / 255)[:, 0]) / direction.norm()
    polls = Polls(Smoothed(model, 0.4), Split(images, torch.zeros(5).long()))
    for image, distance in enumerate(lead.tolist()):
        p, n = norm.cdf(distance / 0.4), LOOKS[-1]
        assert binom.ppf(1e-5, n, p) <= polls.proof(image, n).votes[1] <= binom.isf(1e-5, n, p)


def test_the_label_is_chosen_by_other_copies(polls, monkeypatch):
    """However the voting copies vote."""
    monkeypatch.setattr(polls, "choice", lambda image: 5)
    proof = polls.proof(0, 200)
    assert proof.label == 5
    assert proof.hits == proof.votes[5]


def test_a_proof_is_the_library_s():
    proof = Proof(1, np.array([10, 80, 10]), 0.25, 100)
    assert proof.hits == 80
    assert proof.p_lower == float(lower_bound(80, 100, ALPHA))
    assert proof.radius == float(radius(proof.p_lower, 0.25))
    assert proof.largest == largest_radius(100, ALPHA, 0.25)
    assert Proof(0, np.array([60, 40]), 0.25, 100).radius == 0


def test_the_copies_that_are_shown_are_noisy_and_have_the_model_s_answers(polls, model, data):
    copies = polls.copies(2)
    assert copies.pixels.shape == (COPIES, 8, 8, 3)
    noise = copies.pixels - data.x[2].permute(1, 2, 0).numpy()
    assert noise.std() == pytest.approx(0.4, rel=0.1)
    answers = model(torch.from_numpy(copies.pixels).permute(0, 3, 1, 2).float()).argmax(1)
    assert copies.answers == tuple(answers.tolist())
