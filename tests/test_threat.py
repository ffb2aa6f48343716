"""The geometry of the balls, against closed forms and distributions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy.stats import kstest

from seminar_lib.threat import L1, L2, Linf

THREATS = [Linf(8 / 255), Linf(1.0), L2(0.5), L2(3.0), L1(0.7), L1(4.0)]
ORDER = {Linf: torch.inf, L2: 2, L1: 1}
DUAL = {Linf: 1, L2: 2, L1: torch.inf}
every = pytest.mark.parametrize("threat", THREATS, ids=repr)


def images(low: float, high: float) -> st.SearchStrategy[torch.Tensor]:
    """Two images of three channels and 2x2 pixels."""
    pixels = st.lists(st.floats(low, high, width=32), min_size=24, max_size=24)
    return pixels.map(lambda values: torch.tensor(values).view(2, 3, 2, 2))


def size(threat, delta):
    return torch.linalg.vector_norm(delta.flatten(1).double(), ORDER[type(threat)], dim=1).float()


def dual(threat, grad):
    return torch.linalg.vector_norm(grad.flatten(1).double(), DUAL[type(threat)], dim=1).float()


@every
@given(delta=images(-2, 2))
def test_norm_is_the_norm(threat, delta):
    torch.testing.assert_close(threat.norm(delta), size(threat, delta))


@every
@given(grad=images(-1, 1), exponent=st.integers(-30, 30))
def test_steepest_attains_the_dual_norm_with_length_one(threat, grad, exponent):
    grad = (grad.double() * 10.0**exponent).float()
    step = threat.steepest(grad)
    for found in ((step.double() * grad).sum((1, 2, 3)).float(), threat.dual(grad)):
        torch.testing.assert_close(found, dual(threat, grad), rtol=1e-4, atol=1e-37)
    expected = grad.flatten(1).any(1).float()  # where there is no slope, there is no step
    torch.testing.assert_close(size(threat, step), expected, rtol=1e-4, atol=0)


@every
@given(x=images(0, 1), x_adv=images(-3, 3))
def test_project_ends_inside_the_ball_and_the_box(threat, x, x_adv):
    projected = threat.project(x_adv, x)
    assert (size(threat, projected - x) <= threat.eps * (1 + 1e-5) + 1e-7).all()
    assert ((projected >= 0) & (projected <= 1)).all()
    assert threat.contains(projected, x).all()


@every
@given(x=images(0, 1), x_adv=images(-3, 3))
def test_project_twice_is_project_once(threat, x, x_adv):
    once = threat.project(x_adv, x)
    torch.testing.assert_close(threat.project(once, x), once, rtol=0, atol=1e-6)


@every
@given(x=images(0, 1), delta=images(-1, 1), share=st.floats(0, 0.999))
def test_project_leaves_what_is_inside_alone(threat, x, delta, share):
    delta = share * threat.eps * delta / size(threat, delta).clamp_min(1e-6)[:, None, None, None]
    x_adv = (x + delta).clamp(0, 1)
    torch.testing.assert_close(threat.project(x_adv, x), x_adv, rtol=0, atol=1e-6)


@every
@given(delta=images(-3, 3), other=images(-1, 1))
def test_shrink_finds_the_nearest_point_of_the_ball(threat, delta, other):
    """No point of a convex ball makes an acute angle with the rest of the way: <delta - p, q - p> <= 0 for all q."""
    nearest = threat.shrink(delta)
    inside = threat.eps * other / size(threat, other).clamp_min(1)[:, None, None, None]
    assert (((delta - nearest) * (inside - nearest)).sum((1, 2, 3)) <= 1e-4).all()


@pytest.mark.parametrize("eps", [0.3, 2.0, 20.0])
@given(x=images(0, 1), x_adv=images(-3, 3), other=images(-1, 2))
def test_project_in_l1_finds_the_nearest_image_of_ball_and_box_at_once(eps, x, x_adv, other):
    """As above, for the intersection: any image of the box, shortened towards x into the ball, lies in both."""
    threat = L1(eps)
    nearest = threat.project(x_adv, x)
    delta = other.clamp(0, 1) - x
    inside = x + delta * (eps / size(threat, delta).clamp_min(1e-9)).clamp(max=1)[:, None, None, None]
    assert (((x_adv - nearest) * (inside - nearest)).sum((1, 2, 3)) <= 1e-3).all()


def test_project_in_l1_by_hand():
    """The first value has room for 0.1 only; the others share what is left of the budget."""
    x = torch.tensor([0.9, 0.5, 0.5]).view(1, 3, 1, 1)
    x_adv = x + torch.tensor([2.0, 0.5, -0.4]).view(1, 3, 1, 1)
    expected = torch.tensor([1.0, 0.5 + 0.3, 0.5 - 0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(L1(0.6).project(x_adv, x), expected)


@every
def test_contains_is_the_definition(threat):
    x = torch.full((1, 3, 2, 2), 0.5)
    eps = min(threat.eps, 0.4)  # so that the step stays in the box
    threat = type(threat)(eps)
    delta = eps * threat.steepest(torch.ones_like(x))
    assert threat.contains(x + 0.999 * delta, x).all()
    assert not threat.contains(x + 1.001 * delta, x).any()
    assert not threat.contains(x.new_full(x.shape, torch.nan), x).any()
    edge = torch.ones_like(x)
    assert not threat.contains(edge + 0.1 * delta, edge).any()


def test_noise_is_uniform_in_the_linf_ball():
    noise = Linf(0.1).noise(torch.zeros(500, 3, 2, 2), torch.Generator().manual_seed(0))
    assert kstest(noise.flatten().numpy(), "uniform", (-0.1, 0.2)).pvalue > 0.05


def test_noise_is_uniform_in_the_l2_ball():
    """The radius is distributed like U^(1/d), so its d-th power is uniform; all directions are alike."""
    noise = L2(0.5).noise(torch.zeros(4000, 3, 2, 1), torch.Generator().manual_seed(0)).flatten(1).double()
    radius = noise.norm(dim=1)
    assert kstest(((radius / 0.5) ** 6).numpy(), "uniform").pvalue > 0.05
    direction = noise / radius[:, None]
    diagonal = direction.sum(1) / 6**0.5
    for i in range(6):
        assert kstest(direction[:, i].numpy(), diagonal.numpy()).pvalue > 0.001
    assert abs(torch.corrcoef(torch.stack([radius, diagonal]))[0, 1]) < 0.05


def test_noise_is_uniform_in_the_l1_ball():
    """Again the d-th power of the radius is uniform; absolute values are exchangeable and signs are fair."""
    noise = L1(2.0).noise(torch.zeros(4000, 3, 2, 1), torch.Generator().manual_seed(0)).flatten(1).double()
    radius = noise.abs().sum(1)
    assert kstest(((radius / 2) ** 6).numpy(), "uniform").pvalue > 0.05
    # On the surface, a value's share of the length follows Beta(1, 5): P(share < s) = 1 - (1 - s)^5.
    for share in (noise.abs() / radius[:, None]).T:
        assert kstest((1 - (1 - share) ** 5).numpy(), "uniform").pvalue > 0.001
    positive = (noise > 0).double()
    assert (positive.mean(0) - 0.5).abs().max() < 0.04  # five standard deviations
    assert torch.corrcoef(positive.T).fill_diagonal_(0).abs().max() < 0.08


@every
def test_random_starts_lie_inside_and_differ(threat):
    x = torch.rand(16, 3, 4, 4)
    start, again, other = (threat.random_start(x, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert threat.contains(start, x).all()
    assert torch.equal(start, again)
    assert (start != other).flatten(1).any(1).all()


@every
def test_noise_of_no_images_is_none(threat):
    assert threat.noise(torch.zeros(0, 3, 2, 2)).shape == (0, 3, 2, 2)


@given(eps=st.floats(0, 1, exclude_min=True) | st.integers(1, 255).map(lambda levels: levels / 255))
def test_a_threat_prints_as_the_code_that_makes_it_and_no_other(eps):
    for threat in (Linf(eps), L2(eps), L1(3 * eps)):
        assert eval(repr(threat)) == threat


def test_a_threat_prints_in_few_digits_where_these_are_all():
    threats = [Linf(8 / 255), Linf(1.0), Linf(0.1), Linf(1e-12), L2(0.5), L2(1.0), L1(12.0)]
    assert str(threats) == "[Linf(8/255), Linf(255/255), Linf(0.1), Linf(1e-12), L2(0.5), L2(1), L1(12)]"


def test_shapes_in_signatures_are_enforced_in_tests():
    """A check of the import hook in conftest.py: arguments of one call must agree, and dataclasses are covered."""
    from seminar_lib import Misclassify

    x = torch.rand(4, 3, 2, 2)
    with pytest.raises(TypeCheckError):
        Linf().norm(x[0])
    with pytest.raises(TypeCheckError):
        Linf().contains(x, x[:3])
    with pytest.raises(TypeCheckError):
        Misclassify(torch.nn.Flatten(), torch.rand(4))
