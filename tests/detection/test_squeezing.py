"""Feature squeezing: the median is SciPy's, the score a loop's, and only an opened quantiser has a slope."""

import pytest
import torch
from scipy.ndimage import median_filter
from torch import nn

from seminar_lib.detection import FeatureSqueezing, Median
from seminar_lib.masking import Quantise


@pytest.mark.parametrize("side", [2, 3, 4, 5])
def test_the_median_is_that_of_scipy(side, x):
    expected = median_filter(x.numpy(), size=(1, 1, side, side), mode="mirror")
    assert torch.equal(Median(side)(x), torch.from_numpy(expected))


def test_the_slope_of_a_median_belongs_to_the_pixel_that_it_picks(x):
    image = x[:1].clone().requires_grad_()
    answer = Median(3)(image)
    (slope,) = torch.autograd.grad(answer[0, 1, 4, 4], image)
    assert slope.sum() == 1
    assert image[slope == 1] == answer[0, 1, 4, 4]


@torch.no_grad()
def test_the_score_is_the_largest_change_of_the_probabilities(tiny, x):
    squeezers = (Quantise(2), Median(2), Median(3))
    expected = []
    for image in x.split(1):
        p = tiny(image).softmax(1)
        expected.append(max(float((p - tiny(squeeze(image)).softmax(1)).abs().sum()) for squeeze in squeezers))
    found = FeatureSqueezing(tiny, squeezers).scores(x)
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-4, atol=1e-6)
    assert found.max() > 0.1


def test_an_image_that_no_squeezer_changes_is_above_suspicion(tiny):
    flat = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 8, 8)
    torch.testing.assert_close(FeatureSqueezing(tiny).scores(flat), torch.zeros(2))


def test_only_an_opened_quantiser_has_a_slope(tiny, x):
    x = x.requires_grad_()
    weights = torch.randn(x.shape)
    behind = FeatureSqueezing(nn.Identity(), (Quantise(4),))
    for detector, through in ((behind, 0), (behind.opened(), weights)):
        (slope,) = torch.autograd.grad((detector.squeezers[0](x) * weights).sum(), x)
        assert torch.equal(slope, torch.zeros_like(x) + through)
    assert FeatureSqueezing(tiny, (Median(),)).opened().squeezers[0].side == 2
