"""Smoothed networks against a classifier whose radius is a formula, a loop over single images, and coins."""

from copy import deepcopy

import pytest
import torch
from scipy.stats import binom, binomtest, norm
from torch import Tensor, nn

from seminar_lib.attacks import PGD
from seminar_lib.goals import Expectation, Misclassify
from seminar_lib.smoothing import ABSTAIN, EarlyStop, Smoothed
from seminar_lib.smoothing.bounds import lower_bound, radius
from seminar_lib.smoothing.smoothed import draw_seeds
from seminar_lib.threat import L2

SIGMA = 0.25
EARLY = [None, EarlyStop(), EarlyStop(target=0.1)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def near(oracle) -> Tensor:
    """The oracle's images moved towards or away from its boundary, to distances from 0 to 4 sigma."""
    first, second, _ = oracle.model[1].weight.detach()
    normal = ((first - second) / (first - second).norm()).view(3, 8, 8)
    wanted = torch.linspace(0, 4 * SIGMA, 16)
    towards = torch.where(oracle.y == 0, 1.0, -1.0)[:, None, None, None] * normal
    return oracle.x + (wanted - oracle.distance(L2()))[:, None, None, None] * towards


# --- soundness ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("early", EARLY, ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_a_radius_is_never_beyond_the_boundary_of_a_half_space_and_comes_close_to_it(oracle, near, early, seed):
    """Smoothed, a half-space stays itself (Cohen et al., appendix B): its radius is the distance to the boundary."""
    exact = torch.linspace(0, 4 * SIGMA, 16)
    found = Smoothed(oracle.model, SIGMA).certify(near, n=4000, alpha=1e-4, early=early, generator=seeded(seed))
    assert (found.radius <= exact).all()
    certain = found.label != ABSTAIN
    assert torch.equal(found.label[certain], oracle.y[certain])
    assert torch.equal(certain, found.radius > 0)
    if early is None or early.target is None:
        assert certain[2:].all()
        assert (exact - found.radius)[2:9].max() < 0.3 * SIGMA  # beyond, votes against become rare
    else:
        assert (found.radius[4:] >= early.target).all()


def test_at_the_boundary_it_abstains(oracle, near):
    """With probability 1 - alpha; the answer is as likely as not."""
    smoothed, x = Smoothed(oracle.model, SIGMA), near[:1].repeat(50, 1, 1, 1)
    assert (smoothed.certify(x, n=200, generator=seeded()).label == ABSTAIN).all()
    assert (smoothed.predict(x, n=200, generator=seeded()) == ABSTAIN).all()


@pytest.mark.parametrize("distance", [0.1, 0.2, 0.4])
def test_predict_abstains_as_often_as_the_binomial_says(oracle, near, distance):
    """One image many times over: for each number of votes we know how likely it is, and what PREDICT makes of it."""
    n, alpha, trials = 100, 0.05, 400
    p = norm.cdf(distance)
    first, second, _ = oracle.model[1].weight.detach()
    x = near[:1] + distance * SIGMA * ((first - second) / (first - second).norm()).view(3, 8, 8)
    labels = Smoothed(oracle.model, SIGMA).predict(x.repeat(trials, 1, 1, 1), n, alpha, seeded())
    kept = {k: binomtest(max(k, n - k), n).pvalue <= alpha for k in range(n + 1)}
    right = sum(binom.pmf(k, n, p) for k in kept if kept[k] and 2 * k > n)
    wrong = sum(binom.pmf(k, n, p) for k in kept if kept[k] and 2 * k < n)
    expected = {0: right, 1: wrong, ABSTAIN: 1 - right - wrong}
    assert 0.02 < expected[ABSTAIN] < 0.98
    for label, share in expected.items():
        count = int((labels == label).sum())
        assert binom.ppf(1e-5, trials, share) <= count <= binom.isf(1e-5, trials, share)


# --- the algorithms, written out ------------------------------------------------------------------------------------


class Draws:
    """The noise that an image gets, as ``Poll`` draws it: pieces of at most a chunk, channels last."""

    def __init__(self, seed: int, chunk: int) -> None:
        self.stream, self.chunk = seeded(seed), chunk

    def __call__(self, looks: int) -> Tensor:
        sizes = [min(self.chunk, looks - done) for done in range(0, looks, self.chunk)]
        parts = [torch.empty(size, 8, 8, 3).normal_(std=SIGMA, generator=self.stream) for size in sizes]
        return torch.cat(parts).permute(0, 3, 1, 2)


def naive(model, x: Tensor, draws: Draws, n0: int, n: int, alpha: float) -> tuple[int, float, float]:
    """CERTIFY for one image, one noisy copy at a time."""

    def votes(looks: int) -> list[int]:
        counts = [0] * 5
        for noise in draws(looks):
            counts[int(model((x + noise)[None]).argmax())] += 1
        return counts

    first = votes(n0)
    top = first.index(max(first))
    p = float(lower_bound(votes(n)[top], n, alpha))
    return (top, float(radius(p, SIGMA)), p) if p > 0.5 else (ABSTAIN, 0.0, p)


def test_it_is_the_loop_over_images_and_copies(tiny, x):
    smoothed = Smoothed(tiny, SIGMA, chunk=32)
    found = smoothed.certify(x, n0=20, n=100, alpha=0.01, generator=seeded(3))
    with torch.no_grad():
        rows = [naive(tiny, x[i], Draws(s, 32), 20, 100, 0.01) for i, s in enumerate(draw_seeds(len(x), seeded(3)))]
    labels, radii, bounds = zip(*rows, strict=True)
    assert found.label.tolist() == list(labels)
    assert {ABSTAIN, *found.label.tolist()} > {ABSTAIN}
    torch.testing.assert_close(found.radius, torch.tensor(radii))
    torch.testing.assert_close(found.p_lower, torch.tensor(bounds))
    assert found.samples.tolist() == [120] * len(x)


def test_votes_and_predict_are_the_loop_too(tiny, x):
    smoothed = Smoothed(tiny, SIGMA, chunk=32)
    votes = smoothed.votes(x, n=60, generator=seeded(3))
    labels = smoothed.predict(x, n=60, alpha=0.05, generator=seeded(3))
    rows = zip(x, draw_seeds(len(x), seeded(3)), votes.tolist(), labels.tolist(), strict=True)
    for image, seed, counted, label in rows:
        with torch.no_grad():
            answers = tiny(image + Draws(seed, 32)(60)).argmax(1)
        assert counted == answers.bincount(minlength=5).tolist()
        (most, a), (_, b) = sorted(enumerate(counted), key=lambda pair: -pair[1])[:2]
        assert label == (most if binomtest(a, a + b).pvalue <= 0.05 else ABSTAIN)


# --- who stands beside an image changes nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("early", EARLY, ids=repr)
@pytest.mark.parametrize("size", [1, 3])
def test_batches_do_not_matter(tiny, x, early, size):
    smoothed = Smoothed(tiny, SIGMA, chunk=64)
    whole = smoothed.certify(x, n=400, early=early, generator=seeded())
    generator = seeded()
    parts = [smoothed.certify(part, n=400, early=early, generator=generator) for part in x.split(size)]
    for name, expected in vars(whole).items():
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), expected)


def test_other_neighbours_change_nothing(tiny, x):
    smoothed, early = Smoothed(tiny, SIGMA, chunk=64), EarlyStop(target=0.1)
    other = torch.cat([x[:1], torch.rand_like(x[1:])])
    first, second = (smoothed.certify(images, n=400, early=early, generator=seeded()) for images in (x, other))
    assert all(torch.equal(part[0], getattr(second, name)[0]) for name, part in vars(first).items())
    assert not torch.equal(first.p_lower, second.p_lower)


def test_random_numbers_come_from_the_caller(tiny, x):
    smoothed = Smoothed(tiny, SIGMA)
    state = torch.get_rng_state()
    for ask in (smoothed.predict, smoothed.certify):
        ask(x, n=50, generator=seeded())
    smoothed(x, generator=seeded())
    assert torch.equal(torch.get_rng_state(), state)
    one, same, other = (smoothed.certify(x, n=50, generator=seeded(seed)).p_lower for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_global_stream_serves_who_passes_no_generator(tiny, x):
    smoothed = Smoothed(tiny, SIGMA)
    torch.manual_seed(5)
    first = smoothed.certify(x, n=50)
    torch.manual_seed(5)
    assert torch.equal(smoothed.certify(x, n=50).p_lower, first.p_lower)


def test_no_trace_is_left_on_the_model(tiny, x):
    tiny.train()
    before = deepcopy(tiny.state_dict())
    smoothed = Smoothed(tiny, SIGMA)
    smoothed.certify(x, n=50)
    smoothed.predict(x, n=50)
    assert all(map(torch.equal, tiny.state_dict().values(), before.values()))
    assert all(module.training for module in tiny.modules())
    assert all(p.requires_grad and p.grad is None for p in tiny.parameters())


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad])
def test_the_callers_context_does_not_matter(context, tiny, x):
    smoothed = Smoothed(tiny, SIGMA)
    expected = smoothed.certify(x, n=50, generator=seeded())
    with context():
        found = smoothed.certify(x.clone(), n=50, generator=seeded())
    assert torch.equal(found.p_lower, expected.p_lower)


def test_a_lean_copy_looks_at_the_noise(tiny, x):
    """Folded, and so never called itself but for the proof that the copy answers alike."""
    passes = []
    original = tiny.backbone[0].forward
    tiny.backbone[0].forward = lambda images: passes.append(len(images)) or original(images)
    Smoothed(tiny, SIGMA, chunk=10).certify(x, n=30)
    assert max(passes) <= 10


def test_any_function_will_do_and_its_answers_are_noisy_copies_within_the_chunk(oracle, x):
    seen = []

    def model(images: Tensor) -> Tensor:
        seen.append(images.clone())
        return oracle.model(images)

    Smoothed(model, SIGMA, chunk=50).certify(x, n0=20, n=70)
    assert [len(images) for images in seen] == [40] * 4 + [50] * 8 + [40] * 4
    noise = torch.cat([images.unflatten(0, (2, 20)) - x[2 * i : 2 * i + 2, None] for i, images in enumerate(seen[:4])])
    assert noise.std().item() == pytest.approx(SIGMA, rel=0.01)
    assert torch.cat(seen).min() < 0


@pytest.mark.parametrize("bf16", [False, True])
def test_bf16_is_the_network_that_votes_and_float32_is_not_touched_by_autocast(bf16, tiny, x, monkeypatch):
    monkeypatch.setattr("seminar_lib.smoothing.smoothed.computes_bf16", lambda kind: True)
    kinds = set()

    def model(images: Tensor) -> Tensor:
        embedded = tiny.embed(images)
        kinds.add(embedded.dtype)
        return tiny.classify(embedded)

    with torch.autocast("cpu", torch.bfloat16, enabled=not bf16):
        Smoothed(model, SIGMA, bf16=bf16).certify(x, n=20)
    assert kinds == {torch.bfloat16 if bf16 else torch.float32}


# --- as a model -----------------------------------------------------------------------------------------------------


def test_called_as_a_model_it_averages_probabilities(tiny, x):
    smoothed = Smoothed(tiny, SIGMA, samples=5)
    log_p = smoothed(x, generator=seeded())
    noise = torch.empty(8, 5, 3, 8, 8).normal_(std=SIGMA, generator=seeded())
    expected = torch.stack([tiny(x + noise[:, i]).softmax(1) for i in range(5)]).mean(0)
    torch.testing.assert_close(log_p.exp(), expected)
    torch.testing.assert_close(log_p.softmax(1), expected)


def test_its_gradient_is_that_of_the_average(oracle, x):
    smoothed = Smoothed(oracle.model.double(), SIGMA, samples=3)
    few = x[:2].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda images: smoothed(images, generator=seeded()), few, fast_mode=True)


def test_attacks_apply_to_it(tiny, x):
    """By PGD on the average, and by EOT on one draw at a time."""
    y = tiny(x).argmax(1)
    smoothed = Smoothed(tiny, 0.05, samples=16)
    attack = PGD(L2(0.5), steps=5, stop_when_fooled=False)
    x_adv = attack(smoothed, x, y)
    eot = attack.run(Expectation(Misclassify(Smoothed(tiny, 0.05, samples=1), y), 8), x)
    clean = nn.functional.nll_loss(smoothed(x), y)
    for found in (x_adv, eot):
        assert L2(0.5).contains(found, x).all()
        assert nn.functional.nll_loss(smoothed(found), y) > clean + 0.5


def test_it_prints_its_noise(tiny):
    assert "sigma=0.25, bf16=False" in repr(Smoothed(tiny, SIGMA))
