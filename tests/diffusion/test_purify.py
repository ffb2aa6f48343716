"""Purification, sampling and denoised smoothing: against a diffusion model known in closed form, and by gradients."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from seminar_lib.attacks import PGD
from seminar_lib.diffusion import DiffPure, DiffusionDenoiser, reverse, sample
from seminar_lib.diffusion.schedule import ALPHA_BAR, SIGMA, T
from seminar_lib.goals import Expectation, Misclassify
from seminar_lib.models import UNet
from seminar_lib.smoothing import Smoothed
from seminar_lib.threat import Linf

MEAN, SPREAD = 0.1, 0.15  # of the images below, in [-1, 1]


def best_noise(xt: Tensor, t: Tensor) -> Tensor:
    """What the best of all networks says where pixels are N(MEAN, SPREAD^2): the noise is all but E[x_0 | x_t]."""
    kept = ALPHA_BAR[t].view(-1, 1, 1, 1).to(xt.dtype)
    gain = SPREAD**2 * kept.sqrt() / (kept * SPREAD**2 + 1 - kept)
    x0 = MEAN + gain * (xt - kept.sqrt() * MEAN)
    return (xt - kept.sqrt() * x0) / (1 - kept).sqrt()


@pytest.fixture
def network():
    """An untrained U-Net whose answers are not zero."""
    network = UNet(8).build(3).double().requires_grad_(False).eval()
    for parameter in network.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    return network


@pytest.fixture
def classifier() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4)).double().requires_grad_(False)


@pytest.fixture
def x() -> Tensor:
    return torch.rand(2, 3, 8, 8, dtype=torch.float64) * 0.6 + 0.2


def seeded(seed: int = 7) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- what comes out -------------------------------------------------------------------------------------------------


def test_the_way_back_from_noise_ends_with_the_distribution_of_the_images():
    """All thousand steps for a network that is never wrong: mean and spread of 20,000 pixels are those of the data."""
    start = torch.randn(20, 1, 32, 32, dtype=torch.float64, generator=seeded())
    drawn = reverse(best_noise, start, T, generator=seeded(8))
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.005)
    assert float(drawn.std()) == pytest.approx(SPREAD, rel=0.03)
    jumped = reverse(best_noise, start, T, steps=T)
    assert float(jumped.mean()) == pytest.approx(MEAN, abs=0.005)
    assert float(jumped.std()) == pytest.approx(SPREAD, rel=0.03)


def test_jumps_are_without_chance_and_steps_are_not():
    xt = torch.randn(1, 1, 8, 8)
    jumps = [reverse(best_noise, xt, 50, steps=5) for _ in range(2)]
    assert torch.equal(*jumps)
    steps = [reverse(best_noise, xt, 50) for _ in range(2)]
    assert not torch.equal(*steps)
    assert torch.equal(*(reverse(best_noise, xt, 50, generator=seeded()) for _ in range(2)))


@pytest.mark.parametrize(
    ("steps", "asked"), [(1, [10]), (3, [10, 7, 3]), (10, [*range(10, 0, -1)]), (None, [*range(10, 0, -1)])]
)
def test_the_network_is_asked_once_at_each_stop(steps, asked):
    seen = []

    def network(xt: Tensor, t: Tensor) -> Tensor:
        seen.append(int(t[0]))
        return torch.zeros_like(xt)

    reverse(network, torch.zeros(1, 1, 8, 8), 10, steps)
    assert seen == asked


def test_purified_images_are_those_that_the_noise_may_have_hidden():
    """E[x_0 | x_t] given x: the best guess forgets part of x and takes the mean of all images in its place."""
    x = torch.full((400, 1, 8, 8), 0.7, dtype=torch.float64)
    t = 100
    pure = DiffPure(best_noise, t)(x, seeded())
    kept = float(ALPHA_BAR[t])
    gain = SPREAD**2 * kept / (kept * SPREAD**2 + 1 - kept)
    expected = (1 + MEAN + gain * (0.4 - MEAN)) / 2  # 0.7 is 0.4 in [-1, 1]
    assert float(pure.mean()) == pytest.approx(expected, abs=0.005)
    assert 0.05 < gain < 0.9  # both halves of the claim are in it


def test_images_come_out_in_the_unit_interval_shape_and_dtype(network):
    x = torch.rand(2, 3, 16, 8)
    for steps in (None, 2):
        pure = DiffPure(network.float(), 20, steps)(x)
        assert pure.shape == x.shape
        assert pure.dtype == x.dtype
        assert 0 <= float(pure.min()) <= float(pure.max()) <= 1


def test_noise_is_new_at_each_call_and_the_same_for_the_same_generator(network, x):
    purifier = DiffPure(network, 20)
    assert not torch.equal(purifier(x), purifier(x))
    assert torch.equal(purifier(x, seeded()), purifier(x, seeded()))
    before = torch.get_rng_state()
    purifier(x, seeded())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("steps", [None, 20])
def test_samples_are_images_and_leave_no_trace(steps):
    network = UNet(8).build(1).train()
    if steps is None:
        steps = 3
    images = sample(network, 3, size=8, steps=steps, generator=seeded())
    assert images.shape == (3, 1, 8, 8)
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    assert torch.equal(images, sample(network, 3, size=8, steps=steps, generator=seeded()))
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())


# --- the gradient ---------------------------------------------------------------------------------------------------


def loss(model: nn.Module, x: Tensor) -> Tensor:
    torch.manual_seed(3)  # one draw of the noise
    return model(x).square().sum()


def slope(model: nn.Module, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(model, x), x)
    return grad


@pytest.mark.parametrize("steps", [None, 3])
def test_the_gradient_of_the_whole_chain_is_that_of_finite_differences(steps, network, classifier, x):
    model = nn.Sequential(DiffPure(network, 12, steps), classifier)
    grad = slope(model, x)
    assert grad.abs().max() > 1e-3
    for direction in torch.randn(3, *x.shape, dtype=x.dtype):
        h = 1e-7  # twelve untrained networks in a row: a curved function
        difference = (loss(model, x + h * direction) - loss(model, x - h * direction)) / (2 * h)
        assert float((grad * direction).sum()) == pytest.approx(float(difference), rel=1e-4)


@pytest.mark.parametrize("steps", [None, 3])
def test_the_gradient_is_the_same_when_steps_are_computed_again(steps, network, classifier, x):
    ours, plain = (
        slope(nn.Sequential(DiffPure(network, 12, steps, recompute=again), classifier), x) for again in (True, False)
    )
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=1e-12)


def test_so_it_is_where_the_network_itself_draws_random_numbers(network, classifier, x):
    def drops(xt: Tensor, t: Tensor) -> Tensor:
        return nn.functional.dropout(network(xt, t), 0.5)

    ours, plain = (slope(nn.Sequential(DiffPure(drops, 12, None, again), classifier), x) for again in (True, False))
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=1e-12)


def test_computing_again_keeps_less_in_memory_at_the_price_of_a_forward_pass(network, x):
    """What autograd keeps for the backward pass, counted in numbers; and the work of both passes."""

    def cost(again: bool) -> tuple[int, int]:
        kept = []
        purifier = DiffPure(network, 24, None, again)
        image = x.clone().requires_grad_()
        with FlopCounterMode(display=False) as work:
            with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
                pure = purifier(image)
            pure.sum().backward()
        return sum(kept), work.get_total_flops()

    (less, more_work), (more, less_work) = cost(True), cost(False)
    assert less < more / 10
    assert 1.3 < more_work / less_work < 1.7  # three passes for two: weights need no gradient


def test_pgd_goes_through(network, classifier, x):
    """The attack's own contract for a purified model, and EOT over its noise; the loss is higher than at random."""
    model = nn.Sequential(DiffPure(network, 5, 2), classifier)
    y = torch.tensor([0, 1])
    attack = PGD(Linf(0.1), steps=4, stop_when_fooled=False)
    x_adv = attack(model, x, y, generator=seeded())
    assert attack.threat.contains(x_adv, x).all()

    def mean_loss(images: Tensor) -> float:
        torch.manual_seed(5)
        return float(Expectation(Misclassify(model, y), samples=32)(images).loss.mean())

    nearby = attack.threat.random_start(x, seeded(9))
    assert mean_loss(x_adv) > mean_loss(nearby)
    torch.manual_seed(0)
    averaged = attack.search(Expectation(Misclassify(model, y), samples=8), x)
    assert mean_loss(averaged) > mean_loss(nearby)


# --- denoised smoothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.12, 0.25, 0.5])
def test_the_best_network_denoises_as_the_closed_form_does(sigma):
    """Pixels N(m, s^2) with noise sigma: the best guess is m + s^2 / (s^2 + sigma^2) (x - m)."""
    mean, spread = (1 + MEAN) / 2, SPREAD / 2
    x = mean + spread * torch.randn(50, 1, 8, 8, dtype=torch.float64)
    noisy = x + sigma * torch.randn_like(x)
    assert float(noisy.min()) < 0 or float(noisy.max()) > 1 or sigma < 0.2
    denoiser = DiffusionDenoiser(best_noise, sigma)
    assert float(SIGMA[denoiser.t]) == pytest.approx(sigma, rel=0.02)
    expected = mean + spread**2 / (spread**2 + float(SIGMA[denoiser.t]) ** 2) * (noisy - mean)
    torch.testing.assert_close(denoiser(noisy), expected)


def test_a_smoothed_classifier_is_certified_behind_a_denoiser():
    """Half of the pixels decide. Behind the denoiser the classifier sees less noise, and answers more surely."""

    def brighter(x: Tensor) -> Tensor:
        """Whether the brightest pixel is above 0.75: noise alone would say so of every image."""
        top = x.flatten(1).amax(1)
        return torch.stack([0.75 - top, top - 0.75], 1)

    class Brighter(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 10 * brighter(x)

    x = torch.full((3, 1, 8, 8), (1 + MEAN) / 2)
    alone = Smoothed(Brighter(), 0.25).certify(x, n=200, generator=seeded())
    behind = Smoothed(nn.Sequential(DiffusionDenoiser(best_noise, 0.25), Brighter()), 0.25)
    certified = behind.certify(x, n=200, generator=seeded())
    assert alone.label.tolist() == [1, 1, 1]  # wrong
    assert certified.label.tolist() == [0, 0, 0]
    assert (certified.radius > 0.25).all()


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (partial(DiffPure, best_noise, t=0), "1 to 1000; got 0. DiffPure takes 100"),
        (partial(DiffPure, best_noise, t=1001), "1 to 1000; got 1001"),
        (
            partial(DiffPure, best_noise, t=100, steps=0),
            "jumps from t=100 back to 0, 1 to 100; got 0. None takes every",
        ),
        (partial(DiffPure, best_noise, t=100, steps=101), "1 to 100; got 101"),
        (partial(reverse, best_noise, torch.zeros(1, 1, 8, 8), -3), "got -3"),
        (partial(DiffusionDenoiser, best_noise, sigma=0.0), "got 0.0"),
        (partial(DiffusionDenoiser, best_noise, sigma=-1.0), "standard deviation in pixels"),
        (partial(sample, UNet(8).build(3), 0), "at least one image; got n=0"),
        (partial(sample, UNet(8).build(3), 1, steps=1001), "1 to 1000; got 1001"),
        (partial(sample, UNet(8).build(3), 1, size=20), "multiples of 8"),
        (lambda: DiffPure(best_noise)(torch.full((1, 1, 8, 8), 1.5)), r"Pixels must lie in \[0, 1\]"),
        (lambda: DiffPure(best_noise)(torch.full((1, 1, 8, 8), math.nan)), "NaN"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize("module", [DiffPure, partial(DiffusionDenoiser, sigma=0.25)])
def test_a_network_that_cannot_be_called_is_refused(module):
    with pytest.raises(TypeError, match="needs a network, x_t and t to noise; got str"):
        module("signs/ddpm")
