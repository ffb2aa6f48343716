"""The ways of lesson 10's demo: the library's own purification, the same noise for all, and each computed once."""

import numpy as np
import pytest
import torch

from seminar_lib import DiffPure
from seminar_lib.diffusion.schedule import ALPHA_BAR
from seminar_lib.widgets.diffusion.scene import ATTACKS, BALL, DRAWS, JUMPS, TIMES, Purification


@pytest.fixture
def scene(model, network, data):
    return Purification(model, network, data)


def chw(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def test_what_comes_back_is_what_diffpure_makes_of_as_many_copies(scene, network, data):
    for attack in range(len(ATTACKS)):
        x = scene.images[attack][2:3].repeat(DRAWS, 1, 1, 1)
        expected = DiffPure(network, 50, JUMPS)(x, torch.Generator().manual_seed(2))
        torch.testing.assert_close(chw(scene.way(2, attack, 50).purified), expected.double(), rtol=0, atol=1e-6)


def test_the_answers_are_the_model_s(scene, model, data):
    way = scene.way(1, 0, 25)
    torch.testing.assert_close(torch.from_numpy(way.p), model(chw(way.purified).float()).softmax(1).double())
    torch.testing.assert_close(torch.from_numpy(way.p_before), model(data.x[1:2]).softmax(1)[0].double())


def test_without_noise_nothing_is_changed(scene, model, network, data):
    calls, way = network.calls, scene.way(0, 0, 0)
    assert network.calls == calls
    np.testing.assert_allclose(way.before, data.x[0].permute(1, 2, 0), atol=1e-6)
    np.testing.assert_allclose(way.noisy, way.before, atol=1e-6)
    np.testing.assert_allclose(way.purified, np.stack([way.before] * DRAWS), atol=1e-6)
    assert (way.kept, way.noise) == (1, 0)


def test_an_image_has_the_same_noise_at_every_time_and_under_every_attack(scene):
    """Taken out of what is shown by the formula of Ho et al., 2020, equation 4, and normal."""
    draws = []
    for attack, t in ((0, 10), (0, 800), (1, 100), (2, 100)):
        way = scene.way(3, attack, t)
        share = float(ALPHA_BAR[t])
        assert way.kept**2 == pytest.approx(share)
        assert way.noise**2 == pytest.approx(1 - share)
        draws.append((2 * way.noisy - 1 - way.kept * (2 * way.before - 1)) / way.noise)
    for draw in draws[1:]:
        np.testing.assert_allclose(draw, draws[0], atol=1e-4)
    assert draws[0].std() == pytest.approx(1, rel=0.2)
    other = scene.way(2, 0, 10)
    assert not np.allclose(
        (2 * other.noisy - 1 - other.kept * (2 * other.before - 1)) / other.noise, draws[0], atol=0.1
    )


def test_the_attacks_stay_in_the_ball_and_the_longer_one_does_more_harm(scene, model, data):
    clean, stopped, on = scene.images
    assert torch.equal(clean, data.x)
    p = []
    for x_adv in (clean, stopped, on):
        assert BALL.contains(x_adv, data.x).all()
        p.append(model(x_adv).softmax(1).gather(1, data.y[:, None]).squeeze(1))
    assert (p[1][:3] < p[0][:3]).all()  # the last image is misread without any attack
    assert (p[2] <= p[1] + 1e-6).all()
    assert (p[2] < p[1]).any()


def test_a_way_is_computed_once(scene, network):
    for again in range(2):
        before = network.calls
        for t in TIMES:
            scene.way(1, 1, t)
        asked = network.calls - before
        assert asked == (0 if again else JUMPS * (len(TIMES) - 1))


def test_the_peaks_are_the_largest_of_clean_and_attacked(scene):
    each = np.stack([scene.way(0, attack, 0).p_before for attack in range(len(ATTACKS))])
    np.testing.assert_allclose(scene.peaks(0), each.max(0), atol=1e-6)
