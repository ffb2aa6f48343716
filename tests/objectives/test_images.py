"""The objectives of networks that give images, against the papers' formulas in a loop."""

import math

import pytest
import torch
from torch import nn

from seminar_lib.models import Autoencoder, UNet
from seminar_lib.objectives import DDPM, Batch, Denoising


def batch(n: int = 6, seed: int = 1) -> Batch:
    x = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.zeros(n, dtype=torch.int64), generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def unet() -> nn.Module:
    model = UNet(8).build(3).eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def test_the_loss_of_ddpm_is_that_of_algorithm_1(unet):
    prepared = DDPM().prepare(unet, batch())
    losses = []
    for x, t, noise in zip(prepared.x, prepared.t, prepared.noise, strict=True):
        kept = math.prod(1 - (1e-4 + (0.02 - 1e-4) * s / 999) for s in range(int(t)))
        xt = math.sqrt(kept) * (2 * x - 1) + math.sqrt(1 - kept) * noise[0]
        losses.append((noise[0] - unet(xt[None], t[None])[0]).square().mean())
    (term,) = DDPM().terms(unet, prepared).values()
    torch.testing.assert_close(term, torch.stack(losses).mean(), rtol=1e-4, atol=1e-5)


def test_every_step_from_1_to_1000_is_drawn_alike(unet):
    t = DDPM().prepare(unet, batch(20_000)).t
    assert (int(t.min()), int(t.max())) == (1, 1000)
    counts = torch.histc(t.float(), 10, 0.5, 1000.5)
    assert (counts - 2000).abs().max() < 5 * math.sqrt(2000)


@pytest.mark.usefixtures("as_users_call_it")  # one network for both
def test_noise_is_standard_and_the_generator_decides(unet):
    noise = DDPM().prepare(unet, batch(200)).noise
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    for objective in (DDPM(), Denoising()):
        first, same, other = (objective.prepare(unet, batch(seed=seed)).view for seed in (1, 1, 2))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)


@pytest.mark.usefixtures("as_users_call_it")  # the stand-in is no Denoiser
@pytest.mark.parametrize(("least", "most"), [(0.2, 0.2), (0.0, 0.3)])
def test_a_denoiser_that_does_nothing_loses_the_variance_of_the_noise(least, most):
    """E[sigma^2] of a uniform sigma is (least^2 + least most + most^2) / 3."""
    objective = Denoising(least, most)
    prepared = objective.prepare(nn.Identity(), batch(2000))
    (term,) = objective.terms(nn.Identity(), prepared).values()
    assert float(term) == pytest.approx((least**2 + least * most + most**2) / 3, rel=0.05)
    spread = (prepared.view - prepared.x).flatten(1).std(1)
    assert float(spread.max() - spread.min()) == pytest.approx(most - least, abs=0.1)


def test_a_denoiser_is_asked_for_the_image_before_the_noise():
    model = Autoencoder(2).build(3).eval()
    prepared = Denoising().prepare(model, batch())
    (term,) = Denoising().terms(model, prepared).values()
    torch.testing.assert_close(term, (model(prepared.view) - batch().x).square().mean())


@pytest.mark.usefixtures("as_users_call_it")
@pytest.mark.parametrize("bounds", [(-0.1, 0.3), (0.4, 0.3), (0.0, math.inf), (math.nan, 1.0)])
def test_noise_that_cannot_be_drawn_is_refused(bounds):
    with pytest.raises(ValueError, match="Denoising needs 0 <= least <= most"):
        Denoising(*bounds)
