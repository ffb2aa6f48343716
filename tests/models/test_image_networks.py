"""Networks that give images: shapes, ranges, and what they know of the step."""

import math

import pytest
import torch

from seminar_lib.models import Autoencoder, UNet
from seminar_lib.models.unet import waves


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (32, 16)])
def test_noise_has_the_shape_of_the_images(channels, size):
    x = torch.randn(2, channels, *size)
    assert UNet(8).build(channels)(x, torch.tensor([1, 1000])).shape == x.shape


def test_the_step_changes_the_answer_and_neighbours_do_not():
    network, x = UNet(8).build(3).eval(), torch.randn(3, 3, 16, 16)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    early, late = (network(x, torch.full((3,), t)) for t in (10, 900))
    assert (early - late).abs().max() > 0.01
    mixed = network(x, torch.tensor([10, 900, 10]))
    torch.testing.assert_close(mixed[0::2], early[0::2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(mixed[1], late[1], rtol=1e-4, atol=1e-5)


def test_one_pixel_reaches_all_others():
    """The deepest level sees the whole of a 32x32 image."""
    network, x = UNet(8).build(1).eval(), torch.zeros(1, 1, 32, 32, requires_grad=True)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    (grad,) = torch.autograd.grad(network(x, torch.tensor([5]))[0, 0, 16, 16], x)
    assert grad.ne(0).all()


def test_waves_are_those_of_the_paper():
    found = waves(torch.tensor([3, 700]), 8)
    for row, t in zip(found, (3, 700), strict=True):
        angles = [t / 10_000 ** (i / 4) for i in range(4)]
        expected = [*map(math.sin, angles), *map(math.cos, angles)]
        torch.testing.assert_close(row, torch.tensor(expected), rtol=1e-4, atol=1e-4)


def test_a_denoiser_takes_what_is_beyond_the_range_and_stays_inside():
    x = 3 * torch.randn(2, 3, 12, 8)
    found = Autoencoder(2).build(3)(x).detach()
    assert found.shape == x.shape
    assert 0 <= float(found.min()) < float(found.max()) <= 1


@pytest.mark.parametrize("build", [lambda: UNet(8).build(3), lambda: Autoencoder(2).build(3)], ids=["UNet", "Auto"])
def test_images_are_float32_under_autocast_and_every_weight_learns(build):
    network, x = build(), torch.rand(2, 3, 8, 8)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    given = (x, torch.tensor([3, 500])) if hasattr(network.backbone, "time") else (x,)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(*given).dtype == torch.float32
    network(*given).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


@pytest.mark.usefixtures("as_users_call_it")
def test_what_does_not_fit_is_refused():
    t = torch.tensor([1])
    with pytest.raises(ValueError, match="3 channels, height and width multiples of 8; got shape"):
        UNet(8).build(3)(torch.zeros(1, 1, 8, 8), t)
    with pytest.raises(ValueError, match="multiples of 8"):
        UNet(8).build(3)(torch.zeros(1, 3, 12, 8), t)
    with pytest.raises(ValueError, match="multiples of 4; got shape"):
        Autoencoder(2).build(3)(torch.zeros(1, 3, 10, 8))
    with pytest.raises(ValueError, match="multiple of 8; got 12"):
        UNet(12).build(3)
