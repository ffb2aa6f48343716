"""False certificates counted in thousands of trials, with coins in the place of networks."""

import numpy as np
import pytest
from scipy.stats import binom

from seminar_lib.smoothing.bounds import lower_bound, probability, upper_bound
from seminar_lib.smoothing.looks import EarlyStop, check_samples, prove

SIGMA = 0.25
TRIALS = 4000


def coins(p, trials=TRIALS, seed=0):
    """Votes of images whose answer has probability ``p``."""
    chance, dice = np.broadcast_to(p, trials), np.random.default_rng(seed)
    return lambda rows, looks: dice.binomial(looks, chance[rows])


def too_many(errors: int, alpha: float, trials: int = TRIALS) -> bool:
    """More errors than chance explains, once in a million."""
    return errors > binom.isf(1e-6, trials, alpha)


@pytest.mark.parametrize("early", [None, EarlyStop(first=10), EarlyStop(target=0.1, first=10)], ids=repr)
@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("p", [0.3, 0.499, 0.6, 0.66, 0.9, 0.99])
def test_a_false_certificate_is_as_rare_as_alpha_says(p, alpha, early):
    """A certificate is false where its bound lies above both one half and the truth."""
    proof = prove(coins(p), TRIALS, SIGMA, 640, alpha, early)
    false = (proof.p_lower > max(p, 0.5)).sum()
    assert not too_many(false, alpha)


def test_with_all_of_alpha_at_each_count_there_would_be_too_many():
    """That the counts are accounted for is what the trials above can see."""
    target = 0.1
    p, counts = probability(target, SIGMA) - 1e-9, EarlyStop(target, first=10).counts(640)
    dice = np.random.default_rng(0)
    votes = dice.binomial(1, p, (TRIALS, counts[-1])).cumsum(1)
    passed = np.stack([lower_bound(votes[:, n - 1], n, 0.05) > p for n in counts])
    assert too_many(passed.any(0).sum(), 0.05)
    assert not too_many(passed[-1].sum(), 0.05)


@pytest.mark.parametrize("early", [EarlyStop(first=10), EarlyStop(target=0.1, first=10)], ids=repr)
def test_hardly_an_image_is_given_up_that_could_be_certified(early):
    """Just above the probability that it takes, where the danger is greatest."""
    p = 0.5 if early.target is None else probability(early.target, SIGMA)
    counts = early.counts(640)
    proof = prove(coins(p + 1e-9), TRIALS, SIGMA, 640, 0.05, early)
    given_up = (proof.looks < counts[-1]) & (proof.p_lower < p)
    assert given_up.sum() > 0
    assert not too_many(given_up.sum(), 0.05)


def test_without_early_stops_it_is_clopper_and_pearson():
    hits = np.arange(101)
    proof = prove(lambda rows, looks: hits[rows], 101, SIGMA, 100, 0.01)
    assert (proof.looks == 100).all()
    np.testing.assert_array_equal(proof.p_lower, lower_bound(hits, 100, 0.01))


def test_without_a_target_what_is_not_given_up_has_the_papers_bound():
    """Coin by coin: the same tosses, all counted in the end."""
    chance = np.linspace(0.2, 0.9, 200)
    tosses = np.random.default_rng(1).random((200, 800)) < chance[:, None]
    seen = np.zeros(200, int)

    def ask(rows, looks):
        votes = np.array([tosses[row, seen[row] : seen[row] + looks].sum() for row in rows])
        seen[rows] += looks
        return votes

    proof = prove(ask, 200, SIGMA, 800, 0.001, EarlyStop(first=100))
    stopped = proof.looks < 800
    assert stopped.any()
    np.testing.assert_array_equal(seen, proof.looks)
    np.testing.assert_array_equal(proof.p_lower[~stopped], lower_bound(tosses[~stopped].sum(1), 800, 0.001))
    assert (proof.p_lower[stopped] < 0.5).all()
    assert (chance[stopped] < 0.5).all()


def test_clear_cases_stop_early_on_either_side_of_the_target():
    early = EarlyStop(target=0.25, first=50)
    needed = probability(0.25, SIGMA)
    proof = prove(coins(np.repeat([0.2, 0.7, needed, 1.0], 50), 200), 200, SIGMA, 6400, 0.001, early)
    hopeless, short, close, sure = proof.looks.reshape(4, 50)
    assert set(hopeless) == {50}
    assert short.max() < 6400 / 4
    assert close.max() == 6400
    assert set(sure) == {100}  # fifty votes of fifty do not yet reach it
    assert lower_bound(50, 50, 0.001 / 8) < needed < lower_bound(100, 100, 0.001 / 8)
    p_lower = proof.p_lower.reshape(4, 50)
    assert (p_lower[0] < 0.5).all()
    assert (p_lower[1] < needed).all()
    assert 0.2 < (p_lower[1] > 0.5).mean() < 0.8  # for some a smaller radius is certain by then
    assert (p_lower[3] >= needed).all()


def test_nobody_is_asked_once_all_have_stopped():
    asked = []

    def ask(rows, looks):
        asked.append((list(rows), looks))
        return np.zeros(len(rows), int)

    prove(ask, 2, SIGMA, 1000, 0.001, EarlyStop(first=30))
    assert asked == [([0, 1], 30)]
    assert upper_bound(0, 30, 0.001 / 7) < 0.5


@pytest.mark.parametrize(
    ("first", "n", "counts"),
    [
        (100, 50, (50,)),
        (100, 100, (100,)),
        (100, 101, (100, 101)),
        (100, 10_000, (100, 200, 400, 800, 1600, 3200, 6400, 10_000)),
        (1, 8, (1, 2, 4, 8)),
    ],
)
def test_the_numbers_double(first, n, counts):
    assert EarlyStop(first=first).counts(n) == counts


@pytest.mark.parametrize("early", [None, EarlyStop(), EarlyStop(target=0.3), EarlyStop(target=0.05, first=1)], ids=repr)
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_number_that_is_asked_for_is_just_enough(early, alpha):
    with pytest.raises(ValueError, match="Take n=") as caught:
        check_samples(2, alpha, SIGMA, early)
    enough = int(str(caught.value).split("Take n=")[1].split()[0])
    check_samples(enough, alpha, SIGMA, early)
    with pytest.raises(ValueError, match=f"n={enough - 1} samples cannot certify"):
        check_samples(enough - 1, alpha, SIGMA, early)
    target = early.target if early and early.target else 0.0
    all_agree = lambda rows, looks: np.full(len(rows), looks)  # noqa: E731
    assert prove(all_agree, 1, SIGMA, enough, alpha, early).p_lower > probability(target, SIGMA)
    assert prove(all_agree, 1, SIGMA, enough - 1, alpha, early).p_lower <= probability(target, SIGMA)
