"""The schedule and its steps against closed forms and against diffusers, which counts our step t as t - 1."""

import math
import warnings

import pytest
import torch

from seminar_lib.diffusion.schedule import ALPHA_BAR, BETA, SIGMA, T, step_for
from seminar_lib.diffusion.steps import ancestral_step, ddim_step, guess, noised


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*(shape or (4, 3, 8, 8)), dtype=torch.float64) * 2 - 1


def test_the_schedule_is_the_loop_over_the_steps():
    kept = 1.0
    for t in range(1, T + 1):
        beta = 1e-4 + (0.02 - 1e-4) * (t - 1) / (T - 1)
        kept *= 1 - beta
        assert float(BETA[t]) == pytest.approx(beta, rel=1e-12)
        assert float(ALPHA_BAR[t]) == pytest.approx(kept, rel=1e-9)
    assert len(BETA) == len(ALPHA_BAR) == T + 1
    assert ALPHA_BAR[0] == 1
    assert kept == pytest.approx(4e-5, rel=0.02)  # as the module says


def test_forward_in_one_step_is_forward_step_by_step():
    """Mean and variance of the chain q(x_t | x_{t-1}), by the rules for sums of Gaussians."""
    x0 = images()
    mean, variance = x0.clone(), 0.0
    for t in range(1, 201):
        mean, variance = math.sqrt(1 - BETA[t]) * mean, (1 - float(BETA[t])) * variance + float(BETA[t])
    torch.testing.assert_close(noised(x0, 200, torch.zeros_like(x0)), mean)
    spread = noised(x0, 200, torch.ones_like(x0)) - mean
    torch.testing.assert_close(spread, torch.full_like(x0, math.sqrt(variance)))


def test_each_image_can_have_its_own_step():
    x0, noise, t = images(), torch.randn(4, 3, 8, 8, dtype=torch.float64), torch.tensor([1, 7, 300, T])
    each = [noised(x0[i : i + 1], int(t[i]), noise[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(noised(x0, t, noise), torch.cat(each), rtol=0, atol=0)


def test_the_dtype_is_that_of_the_images():
    x = images().float()
    assert noised(x, 5, x).dtype == ddim_step(x, 5, 2, x).dtype == ancestral_step(x, 5, x, x).dtype == torch.float32


@pytest.mark.parametrize("t", [1, 2, 50, T])
def test_a_network_that_finds_the_noise_finds_the_image(t):
    x0, noise = images(), torch.randn(4, 3, 8, 8, dtype=torch.float64)

    def perfect(xt, steps):
        assert steps.tolist() == [t] * 4
        return noise

    torch.testing.assert_close(guess(perfect, noised(x0, t, noise), t), x0)


def test_a_guess_stays_among_the_images():
    x0 = guess(lambda xt, t: torch.zeros_like(xt), 3 * torch.randn(4, 3, 8, 8), 500)
    assert float(x0.abs().max()) == 1.0


@pytest.mark.parametrize("t", [1, 2, 50, T])
def test_an_ancestral_step_has_mean_and_variance_of_bayes_rule(t):
    """q(x_{t-1} | x_t, x_0) by precisions: that of q(x_t | x_{t-1}) in x_{t-1}, and that of q(x_{t-1} | x_0)."""
    x0, xt = images(), 2 * images()
    beta, before = float(BETA[t]), float(ALPHA_BAR[t - 1])
    mean = ancestral_step(xt, t, x0, torch.zeros_like(xt))
    spread = ancestral_step(xt, t, x0, torch.ones_like(xt)) - mean
    if t == 1:  # x_0 is given: nothing is uncertain
        torch.testing.assert_close(mean, x0)
        assert not spread.any()
        return
    of_step, of_start = (1 - beta) / beta, 1 / (1 - before)
    expected = (of_step * xt / math.sqrt(1 - beta) + of_start * math.sqrt(before) * x0) / (of_step + of_start)
    torch.testing.assert_close(mean, expected)
    torch.testing.assert_close(spread, torch.full_like(xt, (of_step + of_start) ** -0.5))


def test_a_ddim_step_goes_along_the_line_of_one_noise():
    x0, noise = images(), torch.randn(4, 3, 8, 8, dtype=torch.float64)
    for s in (0, 1, 30):
        torch.testing.assert_close(ddim_step(noised(x0, 100, noise), 100, s, x0), noised(x0, s, noise))


# --- the size of the noise ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.005, 0.12, 0.25, 0.5, 1.0, 10.0])
def test_the_step_for_some_noise_has_it_to_the_spacing_of_the_schedule(sigma):
    t = step_for(sigma)
    between = [abs(float(SIGMA[t]) - float(SIGMA[near])) for near in (t - 1, t + 1)]
    assert abs(float(SIGMA[t]) - sigma) <= max(between) / 2


def test_noise_in_pixels_is_noise_of_the_diffusion():
    """The same image with the same noise, once in [0, 1] and once as an x_t."""
    x, noise = (images() + 1) / 2, torch.randn(4, 3, 8, 8, dtype=torch.float64)
    t = step_for(0.25)
    seen = ALPHA_BAR[t].sqrt() * (2 * (x + float(SIGMA[t]) * noise) - 1)
    torch.testing.assert_close(seen, noised(2 * x - 1, t, noise))


@pytest.mark.parametrize("sigma", [-0.1, 0.0, 0.001, 100.0, math.nan, math.inf])
def test_noise_that_no_step_has_is_refused(sigma):
    with pytest.raises(ValueError, match=r"pixels of \[0, 1\], and this diffusion knows 0\.005 to 79; got"):
        step_for(sigma)


# --- a peer ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diffusers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("diffusers", exc_type=ImportError)


@pytest.fixture(scope="module")
def ddpm(diffusers):
    return diffusers.DDPMScheduler()


def test_diffusers_has_the_same_schedule(ddpm):
    torch.testing.assert_close(ddpm.alphas_cumprod.double(), ALPHA_BAR[1:], rtol=1e-4, atol=0)  # theirs is float32


@pytest.mark.parametrize("t", [1, 2, 100, T])
def test_diffusers_takes_the_same_steps(ddpm, diffusers, t):
    x0, noise = images().float(), torch.randn(4, 3, 8, 8)
    xt = noised(x0, t, noise)
    close = {"rtol": 1e-3, "atol": 2e-5}
    torch.testing.assert_close(ddpm.add_noise(x0, noise, torch.full((4,), t - 1)), xt, **close)
    seen = noise + 0.1 * torch.randn_like(noise)  # what a network makes of it
    x0 = guess(lambda xt, t: seen, xt, t)
    torch.manual_seed(1)
    theirs = ddpm.step(seen, t - 1, xt).prev_sample
    torch.manual_seed(1)
    torch.testing.assert_close(ancestral_step(xt, t, x0, torch.randn_like(xt)), theirs, **close)
    ddim = diffusers.DDIMScheduler(set_alpha_to_one=True, timestep_spacing="trailing")
    ddim.set_timesteps(T // 10)
    if t > 10:  # their jump is one of ten steps
        theirs = ddim.step(seen, t - 1, xt, use_clipped_model_output=True).prev_sample
        torch.testing.assert_close(ddim_step(xt, t, t - 10, x0), theirs, **close)
