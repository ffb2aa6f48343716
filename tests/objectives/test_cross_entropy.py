"""Standard training, and labels that are smoothed."""

import pytest
import torch
import torch.nn.functional as F

from seminar_lib.objectives import Batch, CrossEntropy


def smoothed(logits, y, smoothing):
    """The formula of Szegedy et al., image by image and class by class."""
    losses = []
    for row, label in zip(logits, y, strict=True):
        p = row.exp() / row.exp().sum()
        target = [smoothing / len(p) + (1 - smoothing) * (k == label) for k in range(len(p))]
        losses.append(-sum(q * p[k].log() for k, q in enumerate(target)))
    return torch.stack(losses).mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_the_naive_loop(smoothing, tiny, x, y):
    loss = CrossEntropy(smoothing)(tiny, Batch(x, y))["clean"]
    torch.testing.assert_close(loss, smoothed(tiny(x), y, smoothing), rtol=1e-5, atol=1e-5)


def test_without_smoothing_the_loss_is_the_plain_one(tiny, x, y):
    assert torch.equal(CrossEntropy(smoothing=0.0)(tiny, Batch(x, y))["clean"], F.cross_entropy(tiny(x), y))
