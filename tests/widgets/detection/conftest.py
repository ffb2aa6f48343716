"""Two detectors of the linear model's images: one with a slope, and one of the library with rounding in it."""

import pytest
import torch

from seminar_lib import Split
from seminar_lib.detection import Detector, FeatureSqueezing


class Contrast(Detector):
    """Suspicious is what varies a lot; it counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def score(self, x):
        self.calls += 1
        return 10 * x.flatten(1).std(1)


@pytest.fixture
def validation():
    images = torch.randint(256, (120, 3, 8, 8), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    return Split(images, torch.zeros(120).long())


@pytest.fixture
def detectors(model):
    return {"contrast": Contrast(), "squeezing": FeatureSqueezing(model)}
